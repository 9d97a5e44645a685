#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/connect/commits_in_flight.h"
#include "millrace/connect/sink.h"
#include "millrace/connect/sink_metrics.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Name of the reader whose positions say what the sink of a table has taken.
std::string ReaderOfSink(std::string_view table);

/// Carries the durable records of one stream to a sink, from the sink's own position on. Reads no
/// further ahead than it writes, and shares nothing with pipelines: a sink that is slow or down
/// holds up nobody. After each flush the position is committed to the transport as well, under the
/// reader's name "sink:<table>", for sinks that keep none and so that retention waits.
///
/// When the target fails the sink is opened anew, after a pause that doubles up to half a minute.
/// One thread at a time; status() from any.
class SinkRunner {
 public:
  struct Options {
    std::chrono::nanoseconds flush_interval = std::chrono::seconds(10);
    size_t flush_bytes = size_t{16} << 20;  ///< Flushes earlier when so much waits for it.
    size_t poll_bytes = size_t{1} << 20;    ///< Of records, at a time and partition.
    SinkMetrics metrics;
  };
  /// Makes a sink that has not been opened.
  using MakeSink = std::function<Result<std::unique_ptr<Sink>>()>;

  /// `wake`: ends the wait after a step; called from any thread.
  SinkRunner(std::string table, StreamInfo stream, MakeSink make, Transport& transport,
             const Clock& clock, Options options, std::function<void()> wake);
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;
  ~SinkRunner();

  /// Does a bounded piece of work. Returns when to call again unless woken before: 0 = at once,
  /// SteppedThread::kUntilWoken. Not again after an error: what the sink has stays, and all else
  /// goes on. Errors: those that trying again does not mend.
  Result<std::chrono::nanoseconds> Step();
  /// Flushes what is written, for an orderly end; what fails comes again after the next start.
  void Finish();

  SinkStatus status() const MR_EXCLUDES(mutex_);

 private:
  using Nanos = std::chrono::nanoseconds;

  Result<Nanos> TakeStep();
  Status Open();
  Status TakePositions(const std::optional<Sink::Positions>& positions);
  /// Makes the reader known before anything is written; true once it is.
  bool Register();
  Result<bool> ReadSome();
  Status WriteFrame(uint32_t partition, const StreamFrame& frame);
  bool FlushIsDue(Nanos now) const;
  Status Flush();
  void CommitPositions();
  /// Decides whether the sink may work after all.
  Result<Nanos> Failed(const Error& error);
  void PublishStatus() MR_EXCLUDES(mutex_);

  const std::string table_;
  const std::string reader_;
  const StreamInfo stream_;
  const MakeSink make_;
  Transport& transport_;
  const Clock& clock_;
  const Options options_;
  std::unique_ptr<Sink> sink_;  // Open, or null.
  std::vector<std::unique_ptr<Cursor>> cursors_;
  std::vector<Offset> written_;  // By partition the next offset.
  std::vector<Offset> flushed_;
  uint64_t rows_unflushed_ = 0;
  std::optional<Nanos> unflushed_since_;
  bool ended_ = false;  // An end of the input is not flushed yet.
  bool registered_ = false;
  bool positions_due_ = false;
  Nanos retry_at_{0};
  Nanos pause_{0};

  mutable Mutex mutex_;
  SinkStatus status_ MR_GUARDED_BY(mutex_);
  SinkStatus next_status_;  // What PublishStatus shows next.
  CommitsInFlight commits_;
  SubscriptionId subscription_;
};

}  // namespace millrace
