#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/pipeline_state.h"
#include "millrace/engine/row_report.h"
#include "millrace/engine/served_rows.h"
#include "millrace/engine/source_partition.h"
#include "millrace/engine/worker_pool.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// What a pipeline has done, for metrics and descriptions. Written by its thread, read by any.
struct PipelineStats {
  std::atomic<uint64_t> epochs{0};
  std::atomic<uint64_t> rows_in{0};
  std::atomic<uint64_t> rows_accepted{0};
  std::atomic<uint64_t> rows_filtered{0};
  std::atomic<uint64_t> rows_late{0};
  std::atomic<uint64_t> rows_failed{0};
  std::atomic<uint64_t> rows_out{0};
  std::atomic<Micros> watermark{kMicrosMin};
  std::atomic<uint64_t> state_keys{0};
  std::atomic<uint64_t> state_bytes{0};
};

/// Keeps one materialized view up to date, epoch by epoch, exactly once (design section 6). Does
/// nothing by itself: whoever owns it calls Step until it has nothing to do, and again after the
/// wake-up call. One thread at a time.
class PipelineRunner {
 public:
  struct Options {
    size_t state_partitions = 16;
    size_t epoch_bytes_max = 32 << 20;
    int epochs_in_flight_max = 2;
    /// While a commit is in flight another epoch starts only for fewer or for more rows than these:
    /// a few for the sake of latency, and many because they are worth an epoch of their own. What
    /// is in between waits and grows, because an epoch costs per group and not only per row.
    int64_t small_epoch_rows = 512;
    int64_t large_epoch_rows = 65'536;
    size_t batch_rows_max = 4096;  ///< Rows an operator takes at once.
    /// Called on the pipeline's thread after each commit, once its rows are published.
    std::function<void()> on_commit;
  };

  /// Makes or finds the view's streams and restores its state. `transport`, `clock` and `workers`
  /// outlive the runner; `wake` is called on any thread when Step may have something to do.
  /// Errors: kNotImplemented, kDefinitionChanged when the stored state is of another query,
  /// kCorruption.
  static Result<std::unique_ptr<PipelineRunner>> Create(const ViewDefinition& view,
                                                        const TableDefinition& source,
                                                        Transport& transport, const Clock& clock,
                                                        WorkerPool& workers, Options options,
                                                        std::function<void()> wake);
  ~PipelineRunner();

  enum class Progress : uint8_t {
    kWorked,   ///< Call again.
    kWaiting,  ///< Nothing to do before next_step(), or without one the next wake-up call.
  };
  /// Handles decided commits, then runs at most one epoch. After an error the pipeline is stopped.
  Result<Progress> Step();

  /// After kWaiting: the monotonic time of the next Step; wake-up calls before it may be ignored.
  std::optional<std::chrono::nanoseconds> next_step() const { return next_step_; }

  const PipelinePlan& plan() const { return *plan_; }
  const PipelineStats& stats() const { return stats_; }
  /// Null when the view's rows are its change stream (append-only).
  const ServedRows* served_rows() const { return served_.get(); }
  StreamId view_stream() const { return streams_.view; }
  uint32_t source_partitions() const { return streams_.source_partitions; }
  /// Name of the reader whose positions say what the view has read.
  const std::string& reader() const { return reader_; }
  /// True when the last Step found everything read and committed.
  bool caught_up() const { return in_flight_.empty() && inputs_empty_; }

 private:
  struct Streams {
    StreamId source;
    uint32_t source_partitions = 0;
    StreamId view;
    uint32_t view_partitions = 0;
    StreamId state;
    StreamId errors;
    std::optional<StreamId> late;
    /// The last row of each group whose window is closed: with the open groups of the state these
    /// are all rows of the view, so that a restart need not read its change stream.
    std::optional<StreamId> closed;
  };
  /// What an epoch started from, and what to publish when it is committed.
  struct Epoch {
    EpochId id;
    std::vector<Offset> positions;
    std::vector<Offset> end_positions;
    std::vector<PartitionWatermark> source_watermarks;
    Micros stage_watermark;
    bool started;
    std::vector<std::vector<BatchPtr>> output;  // By task; only while the rows are kept.
    size_t state_frame = 0;                     // Index among the epoch's appends.
  };
  /// A task of the first stage: one source partition, one epoch.
  struct SourceTask {
    SourcePartition::Slice slice;
    std::unique_ptr<PartialGroups> groups;
    std::optional<RowReport> report;
    std::vector<BatchPtr> output;
  };
  struct StateTask {
    std::optional<RowReport> report;
    std::vector<BatchPtr> output;
    std::vector<BatchPtr> closed;
    std::optional<Error> error;
  };
  struct Decided {
    EpochId epoch;
    CommitResult result;
  };

  PipelineRunner(std::unique_ptr<const PipelinePlan> plan, Transport& transport, const Clock& clock,
                 WorkerPool& workers, Options options, std::function<void()> wake);

  Status OpenStreams(const StreamInfo& source);
  Result<StreamId> OpenStream(std::string name, uint32_t partitions, SchemaPtr schema,
                              std::string kind);
  Status Restore();
  /// Whether the view's rows are kept beside its change stream: it has retractions.
  bool keeps_rows() const { return plan_->group_by && plan_->emit == EmitMode::kChanges; }
  Status RestoreServed();
  Status ServeClosedRows();
  Status ServeOpenGroups(size_t partition);
  void ApplyOutput(const Epoch& epoch);

  Status HandleDecided() MR_EXCLUDES(mutex_);
  Status HandleCommitted(const Epoch& epoch, const CommitResult& result);
  void RollBack();
  bool WorthAnEpoch(std::chrono::nanoseconds now);
  /// Runs task(0), ..., task(count - 1) over `rows`, on several threads when these are many.
  void RunTasks(size_t count, int64_t rows, const std::function<void(size_t)>& task);
  Result<bool> ReadInputs();
  Micros StageWatermark() const;
  void RunSourceTask(size_t partition);
  void RunStateTask(size_t partition);
  Status AggregateOutput(KeyedState& state, StateTask& task);
  Status CommitEpoch();
  /// Returns how many frames it appended. `output` is by partition of the view.
  size_t AppendOutput(const std::vector<std::vector<BatchPtr>>& output, const EventTimes& times,
                      EpochWriter& writer);
  void AppendReports(EpochWriter& writer);

  const std::unique_ptr<const PipelinePlan> plan_;
  Transport& transport_;
  const Clock& clock_;
  WorkerPool& workers_;
  const Options options_;
  const std::function<void()> wake_;
  const std::string reader_;
  Streams streams_;
  std::vector<SourcePartition> sources_;
  std::optional<PipelineState> state_;
  std::unique_ptr<ServedRows> served_;
  std::vector<Offset> view_position_;
  std::optional<SubscriptionId> subscription_;

  std::vector<Offset> input_ends_;
  std::vector<SourceTask> source_tasks_;
  std::vector<StateTask> state_tasks_;
  std::deque<Epoch> in_flight_;
  std::optional<EpochId> aborted_from_;
  bool inputs_empty_ = false;
  std::chrono::nanoseconds next_epoch_at_{0};
  std::optional<std::chrono::nanoseconds> next_step_;
  PipelineStats stats_;

  Mutex mutex_;
  CondVar all_decided_;
  std::vector<Decided> decided_ MR_GUARDED_BY(mutex_);
  int undecided_ MR_GUARDED_BY(mutex_) = 0;
};

}  // namespace millrace
