#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "millrace/base/result.h"

namespace millrace::serve {

/// POST /api/v1/query.
struct SqlRequest {
  std::string sql;  ///< Hostile text of any size.
  std::string wait_for;
  std::optional<std::chrono::milliseconds> timeout;  ///< Of all of it; none = the server's.
  std::optional<uint64_t> limit;                     ///< Rows of the answer; none = the server's.
  /// True once nobody waits for the answer any more; may be null.
  std::shared_ptr<const std::atomic<bool>> abandoned;
};

/// Runs queries of clients. Thread-safe. Never blocks: answers through `done`, exactly once, from
/// any thread, with a whole JSON document. Errors: 2xxx, those of expressions, kQueryTimeout,
/// kQueryMemory, kQueryRows, kPositionNotReached, kHttpBadRequest, kTooManyRequests, kUnavailable.
class SqlService {
 public:
  using Done = std::function<void(Result<std::string>)>;

  virtual ~SqlService() = default;

  virtual void Query(SqlRequest request, Done done) = 0;
};

}  // namespace millrace::serve
