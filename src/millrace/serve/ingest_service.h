#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/serve/body_memory.h"

namespace millrace::serve {

enum class BodyFormat : uint8_t {
  kJson,    ///< One object, or an array of them.
  kNdjson,  ///< One object per line.
};

/// The records of one POST.
struct IngestRequest {
  std::string stream;
  RequestBody body;  ///< Padded for simdjson; ShareBody makes it a Buffer without a copy.
  BodyFormat format = BodyFormat::kNdjson;
  std::optional<std::string> idempotency_key;  ///< 1 to 255 visible ASCII characters.
  std::string token;  ///< Name of the token that sent it; the scope of the key. May be empty.
};

/// A record that went to the stream of errors instead.
struct RecordError {
  uint64_t index;  ///< Within the body, from 0.
  ErrorCode code;
  std::string message;
};

struct PartitionPosition {
  PartitionId partition;
  Offset next;  ///< Behind the last record of this request.
};

/// What is durable once a request was answered.
struct IngestAnswer {
  uint64_t accepted = 0;
  uint64_t errors_count = 0;        ///< Records, also those that a full table has lost.
  std::vector<RecordError> errors;  ///< The first kErrorsMax at most.
  std::vector<PartitionPosition> positions;
  std::string position;  ///< The same for `wait_for`; opaque to clients.

  static constexpr size_t kErrorsMax = 100;
};

/// Brings records into streams. Implemented over the transport; thread-safe.
class IngestService {
 public:
  virtual ~IngestService() = default;

  /// Takes the records and returns at once; must not block. Calls `done` exactly once, from any
  /// thread: with an answer only after the commit that holds all of it. A body that cannot be taken
  /// as a whole fails: kStreamNotFound, kRecordSyntax, kIdempotencyKeyReused, kDiskFull,
  /// kTableFull, kUnavailable (queues are full: try later).
  virtual void Submit(IngestRequest request, std::function<void(Result<IngestAnswer>)> done) = 0;
};

}  // namespace millrace::serve
