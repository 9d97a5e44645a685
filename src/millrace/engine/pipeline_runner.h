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
#include "millrace/engine/dataflow.h"
#include "millrace/engine/memory_budget.h"
#include "millrace/engine/pipeline_metrics.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/pipeline_state.h"
#include "millrace/engine/served_rows.h"
#include "millrace/engine/source_partition.h"
#include "millrace/engine/worker_pool.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// What a pipeline has committed since it was made, for metrics and descriptions. Written by its
/// thread, read by any.
struct PipelineStats {
  std::atomic<uint64_t> epochs{0};
  std::atomic<uint64_t> rows_in{0};
  std::atomic<uint64_t> rows_accepted{0};
  std::atomic<uint64_t> rows_filtered{0};
  std::atomic<uint64_t> rows_late{0};
  std::atomic<uint64_t> rows_failed{0};
  std::atomic<uint64_t> rows_out{0};
  std::atomic<Micros> watermark{kMicrosMin};  ///< The earliest of the inputs'.
  std::atomic<uint64_t> state_keys{0};
  std::atomic<uint64_t> state_bytes{0};
};

/// Keeps one materialized view up to date, epoch by epoch, exactly once (design section 6). Does
/// nothing by itself: whoever owns it calls Step until it has nothing to do, and again after the
/// wake-up call. One thread at a time.
class PipelineRunner {
 public:
  struct Options {
    size_t state_partitions = 16;  ///< Of a view without state; else as many as that has.
    size_t epoch_bytes_max = 32 << 20;
    int epochs_in_flight_max = 2;
    /// While a commit is in flight another epoch starts only for fewer or for more rows than these:
    /// a few for the sake of latency, and many because they are worth an epoch of their own. What
    /// is in between waits and grows, because an epoch costs per group and not only per row.
    int64_t small_epoch_rows = 512;
    int64_t large_epoch_rows = 65'536;
    size_t batch_rows_max = 4096;  ///< Rows an operator takes at once.
    /// What an epoch writes at least of the rolling snapshot of the state, so that small states are
    /// written whole again and again.
    size_t snapshot_bytes_min = 2048;
    /// What the state's memory is taken from; outlives the runner, null = there is no limit.
    MemoryBudget* memory = nullptr;
    PipelineMetrics metrics;
    /// Called on the pipeline's thread after each commit, once its rows are published.
    std::function<void()> on_commit;
  };

  /// Makes or finds the view's streams and restores its state. The streams that it reads are there;
  /// `project` defines them. `transport`, `clock` and `workers` outlive the runner; `wake` is
  /// called on any thread when Step may have something to do. Errors: kNotImplemented,
  /// kDefinitionChanged when the stored state is of another query, kCorruption.
  static Result<std::unique_ptr<PipelineRunner>> Create(const ViewDefinition& view,
                                                        const ProjectDefinition& project,
                                                        Transport& transport, const Clock& clock,
                                                        WorkerPool& workers, Options options,
                                                        std::function<void()> wake);
  ~PipelineRunner();

  enum class Progress : uint8_t {
    kWorked,   ///< Call again.
    kWaiting,  ///< Nothing to do before next_step(), or without one the next wake-up call.
  };
  /// Handles decided commits, then runs at most one epoch. After an error the pipeline is stopped:
  /// kMemoryLimit after the last commit before the limit, with the state given back; those of the
  /// transport; kCorruption.
  Result<Progress> Step();

  /// Waits until what is in flight is decided, and takes it in; then nothing of the runner's is
  /// under way until the next Step. Errors: as of Step.
  Status Settle() MR_EXCLUDES(mutex_);

  /// After kWaiting: the monotonic time of the next Step; wake-up calls before it may be ignored.
  std::optional<std::chrono::nanoseconds> next_step() const { return next_step_; }

  const PipelinePlan& plan() const { return *plan_; }
  const PipelineStats& stats() const { return stats_; }
  /// Null when the view's rows are its change stream (append-only).
  const ServedRows* served_rows() const { return served_.get(); }
  StreamId view_stream() const { return streams_.view; }
  uint32_t view_partitions() const { return streams_.view_partitions; }
  /// A partition of a stream that the view reads.
  struct Source {
    size_t input = 0;  ///< In plan().inputs.
    StreamId stream;
    PartitionId partition;
  };
  /// In the order in which positions name them: the partitions of the first input come first.
  const std::vector<Source>& sources() const { return sources_; }
  /// Per sources() the offset up to which records are in what is committed and counted by stats().
  /// Of any thread.
  std::vector<Offset> source_position() const MR_EXCLUDES(mutex_);
  /// Name of the reader whose positions say what the view has read.
  const std::string& reader() const { return reader_; }
  /// True when the last Step found everything read and committed.
  bool caught_up() const { return in_flight_.empty() && inputs_empty_; }

 private:
  /// Those of PipelineStreams.
  struct Streams {
    StreamId view;
    uint32_t view_partitions = 0;
    StreamId state;
    StreamId errors;
    std::optional<StreamId> late;
    std::optional<StreamId> closed;
  };
  /// What an epoch started from, and what to publish when it is committed.
  struct Epoch {
    EpochId id;
    std::vector<Offset> positions;
    PipelineState::Progress state;
    std::vector<Offset> end_positions = {};
    std::chrono::nanoseconds sealed_at{};
    std::vector<std::vector<BatchPtr>> output = {};  // By task; only while the rows are kept.
    RowReport::Counts counts = {};
    uint64_t rows_out = 0;
    Micros watermark = kMicrosMin;
    size_t state_frame = 0;  // Index among the epoch's appends.
  };
  struct Decided {
    EpochId epoch;
    CommitResult result;
  };

  PipelineRunner(std::unique_ptr<const PipelinePlan> plan, Transport& transport, const Clock& clock,
                 WorkerPool& workers, Options options, std::function<void()> wake);

  Status OpenSources(const ProjectDefinition& project);
  Status OpenStreams();
  Result<StreamId> OpenStream(const StreamDefinition& definition);
  Status Restore();
  /// Whether the view's rows are kept beside its change stream: it has retractions.
  bool keeps_rows() const { return !plan_->append_only; }
  Status RestoreServed();
  Status ServeClosedRows();
  void ApplyOutput(const Epoch& epoch);

  Status HandleDecided() MR_EXCLUDES(mutex_);
  Status HandleCommitted(const Epoch& epoch, const CommitResult& result);
  void RollBack();
  /// Takes what the state needs from the budget; false: it is past the limit.
  bool ChargeState();
  void DropLastEpoch();
  /// Gives the state back. Returns why.
  Error StopAtMemoryLimit();
  bool WorthAnEpoch(std::chrono::nanoseconds now);
  Result<bool> ReadInputs(int64_t& rows);
  /// How far an input has come, and whether all its partitions are idle.
  Dataflow::InputTime TimeOf(size_t input) const;
  Status CommitEpoch();
  /// Returns how many frames it appended. `output` is by partition of the view.
  size_t AppendOutput(const std::vector<std::vector<BatchPtr>>& output, const EventTimes& times,
                      Epoch& epoch, EpochWriter& writer);
  /// Tells the view's readers how far its rows have come, if that has changed. Returns how many
  /// frames it appended.
  size_t AppendWatermark(EpochWriter& writer);
  void AppendReports(EpochWriter& writer);
  void CountCommitted(const Epoch& epoch);

  const std::unique_ptr<const PipelinePlan> plan_;
  Transport& transport_;
  const Clock& clock_;
  WorkerPool& workers_;
  const Options options_;
  const std::function<void()> wake_;
  const std::string reader_;
  size_t state_partitions_;
  Streams streams_;
  std::vector<PipelineInput> inputs_;  // As the plan's, with columns as the streams have them now.
  std::vector<Source> sources_;
  std::vector<SourcePartition> source_partitions_;  // As sources_.
  std::optional<PipelineState> state_;
  std::optional<Dataflow> dataflow_;
  std::unique_ptr<ServedRows> served_;
  std::vector<Offset> view_position_;
  std::vector<SubscriptionId> subscriptions_;

  std::vector<Offset> input_ends_;
  std::deque<Epoch> in_flight_;
  std::optional<EpochId> aborted_from_;
  size_t state_bytes_ = 0;  // Of the budget.
  bool over_memory_limit_ = false;
  /// A view reads this one, and did not when the last rows came.
  bool owes_watermark_ = false;
  bool inputs_empty_ = false;
  std::chrono::nanoseconds next_epoch_at_{0};
  std::optional<std::chrono::nanoseconds> next_step_;
  PipelineStats stats_;

  mutable Mutex mutex_;
  CondVar all_decided_;
  std::vector<Decided> decided_ MR_GUARDED_BY(mutex_);
  int undecided_ MR_GUARDED_BY(mutex_) = 0;
  std::vector<Offset> committed_position_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace
