#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/mutex.h"
#include "millrace/connect/commits_in_flight.h"
#include "millrace/connect/generate/row_generator.h"
#include "millrace/connect/source.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// Fills the stream of one table from a RowGenerator, each row once: a block of rows and the number
/// of the row behind it are one epoch.
///
/// Row n belongs to block n / block rows, and block b to partition b modulo their number, unless
/// partition_by spreads them: so each partition sees the same rows in the same order in every run.
/// An input that ends commits its end with the kEnd frames, once, and is over.
class GeneratorSource final : public Source {
 public:
  struct Plan {
    std::string_view connector;
    std::optional<uint64_t> rows;  ///< Nothing: endless.
    uint64_t rate = 0;             ///< Rows per second; 0 = as fast as possible.
    /// Makes the rows. `start`: the wall clock when the table began, the same after a restart.
    std::function<std::unique_ptr<RowGenerator>(Micros start)> make;
  };
  struct Limits {
    uint64_t block_rows_max = 8192;
    int commits_in_flight_max = 8;
  };

  /// Errors: kSourceChanged when an input that has ended is to go on; kCorruption.
  static Result<std::unique_ptr<GeneratorSource>> Open(Plan plan, const SourceContext& context,
                                                       Limits limits);

  Result<std::chrono::nanoseconds> Step() override;
  SourceStatus status() const override MR_EXCLUDES(mutex_);

 private:
  using Nanos = std::chrono::nanoseconds;

  GeneratorSource(Plan plan, const SourceContext& context, Limits limits);

  Status Restore();
  Result<Nanos> TakeStep();
  uint64_t BlockEnd(uint64_t row) const;
  Nanos TimeUntil(uint64_t row) const;
  Result<Nanos> CommitBlock(uint64_t end);
  Result<Nanos> CommitEnd();
  Status CommitControl(ControlFrame::Kind kind, Micros event_time);
  std::string Position(uint64_t next) const;
  void PublishStatus(bool waiting) MR_EXCLUDES(mutex_);

  const Plan plan_;
  const SourceContext context_;
  StreamIngestor& ingestor_;
  const Limits limits_;
  const std::string name_;  // Among the transport's sources.
  const uint64_t block_rows_;
  Micros start_ = 0;
  std::unique_ptr<RowGenerator> rows_;
  uint64_t next_ = 0;
  uint64_t rate_begin_row_ = 0;  // The rate counts from this row and time on.
  Nanos rate_begin_{0};
  Nanos next_promise_{0};
  bool active_ = false;
  bool ended_ = false;
  uint64_t records_count_ = 0;
  uint64_t errors_count_ = 0;

  mutable Mutex mutex_;
  SourceStatus status_ MR_GUARDED_BY(mutex_);
  CommitsInFlight commits_;  // Last: it waits for its callbacks before all else goes.
};

}  // namespace millrace
