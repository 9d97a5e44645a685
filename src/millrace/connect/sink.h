#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Committed records of one partition, as a sink gets them.
struct SinkRows {
  PartitionId partition;
  /// Where they begin and end: the end of the rows before, and what the position is behind them.
  /// Control frames take offsets too, so that there may be fewer rows, or none.
  Offset begin;
  Offset end;
  BatchPtr rows;  ///< Null when there are none; with weights where the stream has them.
};

/// The seam to whatever takes a stream's records out of Millrace: one per table that INSERT INTO
/// fills. Implementations: FileSink, BlackholeSink. Owned by a SinkRunner, on one thread.
///
/// Exactly once: a sink keeps its position in its target, together with the rows before it, so that
/// both change at once or not at all. That is what Flush does, and what makes these calls enough:
///
///   Open                      once, first: tidies up what an interrupted life has left, and says
///                             the position. Nothing behind it is in the target.
///   Write*, Flush, Write*, ...  rows go on where they ended, partition by partition, without gaps
///                             and repeats; after a Flush that succeeded, all written is in the
///                             target for good.
///
/// After any error nobody knows how much has happened. The sink is then destroyed and another one
/// is opened, later; its position tells. Rows that were written and not flushed come again, perhaps
/// cut otherwise, but with the same offsets.
///
/// A sink waits for nobody but its target: while it is down, pipelines go on.
class Sink {
 public:
  /// By partition the next offset; one that is missing has had none.
  using Positions = std::map<uint32_t, Offset>;

  virtual ~Sink() = default;

  /// May block. Nothing: the target keeps no position; the stream's own is to be taken, which
  /// follows each Flush. Errors: kSinkMismatch when the target is another stream's.
  virtual Result<std::optional<Positions>> Open() = 0;
  /// Errors: kSinkRetraction for a row with a weight that the target cannot show.
  virtual Status Write(const SinkRows& rows) = 0;
  virtual Status Flush() = 0;

  /// Memory that what is not flushed takes.
  virtual size_t unflushed_bytes() const = 0;
};

/// What a sink works with; all of it outlives the sink.
struct SinkContext {
  FileSystem& files;
  std::string project_dir;  ///< Where relative paths begin.
};

/// How a sink stands; for health, metrics and the command line.
struct SinkStatus {
  enum class State : uint8_t {
    kRunning,
    kWaiting,   ///< It has all there is.
    kRetrying,  ///< The target has failed; tried again.
    kFailed,    ///< Stopped by `error`.
  };
  State state = State::kRunning;
  uint64_t rows = 0;           ///< Flushed since the start of the process.
  uint64_t flushes = 0;        ///< That succeeded, since then.
  uint64_t failures = 0;       ///< Of the target, since then.
  uint64_t rows_behind = 0;    ///< Durable in the stream and not flushed; counts control frames.
  std::optional<Error> error;  ///< The last failure; of the target unless kFailed.
};

/// Returns "running", "waiting", "retrying" or "failed".
std::string_view Name(SinkStatus::State state);

}  // namespace millrace
