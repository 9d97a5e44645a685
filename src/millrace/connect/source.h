#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/clock.h"
#include "millrace/base/file_system.h"
#include "millrace/base/result.h"
#include "millrace/stream/transport.h"

namespace millrace {

class StreamIngestor;

/// What a source works with; all of it outlives the source.
struct SourceContext {
  StreamIngestor& ingestor;  ///< Of its table, with idle_by_timeout = false.
  Transport& transport;
  FileSystem& files;
  const Clock& clock;
  std::string project_dir;     ///< Where relative paths begin.
  std::function<void()> wake;  ///< Ends the wait after a step; from any thread.
};

/// How a source stands; for health, metrics and the command line.
struct SourceStatus {
  enum class State : uint8_t {
    kRunning,
    kWaiting,  ///< Nothing to read at the moment.
    kEnded,    ///< A bounded input was read to its end.
    kFailed,   ///< Stopped by `error`.
  };
  State state = State::kRunning;
  uint64_t splits = 0;              ///< Files it knows of.
  uint64_t splits_finished = 0;     ///< Read to their end for good.
  uint64_t splits_unavailable = 0;  ///< Cannot be read at the moment; tried again.
  uint64_t bytes_read = 0;          ///< Since the start of the process, decompressed.
  uint64_t blocks_ahead = 0;        ///< Read, and decoded or about to be, but not committed.
  uint64_t bytes_behind = 0;        ///< In splits and not read yet, as stored.
  uint64_t records = 0;             ///< Accepted since the start of the process.
  uint64_t errors = 0;              ///< Refused since the start of the process.
  std::optional<Error> error;       ///< The last failure; of a split unless kFailed.
};

/// Whether the commit can be tried again when there is room: on the disk, or in the table.
inline bool IsFull(const Error& error) {
  return error.code() == ErrorCode::kDiskFull || error.code() == ErrorCode::kTableFull;
}

/// Returns "running", "waiting", "ended" or "failed".
std::string_view Name(SourceStatus::State state);

/// The seam to whatever fills a stream by itself, at its own pace: one per table. It commits its
/// position in the epoch of the records that it covers, so that after a crash each record is there
/// once. Owned by a SourceThread, or by a test that steps it on virtual time.
class Source {
 public:
  virtual ~Source() = default;

  /// Does a bounded piece of work, such as one block of one file, without waiting. Returns when to
  /// call again unless woken before: 0 = at once, kUntilWoken. Not again after an error: the source
  /// has failed, and all else goes on.
  virtual Result<std::chrono::nanoseconds> Step() = 0;
  static constexpr std::chrono::nanoseconds kUntilWoken = std::chrono::nanoseconds::max();

  /// From any thread.
  virtual SourceStatus status() const = 0;
};

}  // namespace millrace
