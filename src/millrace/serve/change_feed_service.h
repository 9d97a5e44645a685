#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "millrace/base/result.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

enum class FeedKind : uint8_t { kStream, kView };

/// GET .../changes.
struct FeedRequest {
  FeedKind kind;
  std::string name;
  std::string from;  ///< The id of the last event the client has seen; empty = from now on.
  bool with_snapshot = false;  ///< First the rows of the view, as snapshot events; not with `from`.
};

/// Opens feeds of durable changes. Implemented over the engine; thread-safe.
class ChangeFeedService {
 public:
  using Done = std::function<void(Result<std::unique_ptr<EventSource>>)>;

  virtual ~ChangeFeedService() = default;

  /// Must not block; calls `done` exactly once, from any thread. The source yields events made by
  /// AppendEvent: `change`, `snapshot`, `progress` (a position without a change: where a feed from
  /// now on begins, and behind a snapshot), `gap` (what was asked for is no longer retained) and
  /// `rebuilt` (the view was built anew: forget its rows, all changes of the new one come from the
  /// event's position on).
  /// What must be read from disk is read on the service's own threads, which then wake the source.
  /// Errors: kStreamNotFound, kSqlUnknownRelation, kHttpBadRequest (`from` is no position),
  /// kUnavailable.
  virtual void Open(FeedRequest request, Done done) = 0;
};

}  // namespace millrace::serve
