#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/base/rng.h"
#include "millrace/stream/stream_table.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A transport without files: for tests of the engine and for simulation. It keeps what it holds
/// over Restart, and injects outcomes and delays of commits.
///
/// What becomes of an epoch is settled by CommitAsync, from the script, else from the
/// probabilities, else it is committed. Only epochs that will commit get offsets and are seen by
/// kAppended readers. An abort takes with it whatever is handed over before its callback has run,
/// since that may build on it; so does a fence. After kUnknown the transport has failed, and
/// everything is kUnknown until Restart.
class MemoryTransport final : public Transport {
 public:
  struct Probabilities {
    double aborted = 0;
    double fenced = 0;
    double unknown = 0;
  };

  /// Decides every epoch inside CommitAsync, in order; of concurrent calls one may run the
  /// callbacks of the others.
  static std::unique_ptr<MemoryTransport> Immediate();
  /// Decides nothing but in Decide. CreateStream and ChangeStreams do not wait for it.
  static std::unique_ptr<MemoryTransport> Delayed();

  /// Outcomes of the next epochs, one each.
  void Script(std::vector<CommitOutcome> outcomes) MR_EXCLUDES(mutex_);
  /// Outcomes behind the script. Also says with one half whether a kUnknown epoch is there after
  /// Restart; without it, it is not.
  void SetProbabilities(uint64_t seed, Probabilities probabilities) MR_EXCLUDES(mutex_);

  /// Runs the callbacks of up to `count` epochs on the calling thread, in CommitAsync order.
  /// Returns how many there were.
  size_t Decide(size_t count = SIZE_MAX) MR_EXCLUDES(mutex_);
  size_t undecided_count() MR_EXCLUDES(mutex_);
  /// Whether everything is kUnknown until Restart.
  bool failed() MR_EXCLUDES(mutex_);

  /// As if the process started again: what is not decided never happened, and no callback of it
  /// runs; the script is forgotten. Readers, writers and subscriptions of before must be gone.
  void Restart() MR_EXCLUDES(mutex_);

  /// What the engine would see of a full disk.
  void SetDiskFull(bool disk_full) { disk_full_.store(disk_full, std::memory_order_relaxed); }

  Result<StreamId> CreateStream(const StreamDefinition& definition) override MR_EXCLUDES(mutex_);
  Status ChangeStreams(const StreamChanges& changes) override MR_EXCLUDES(mutex_);
  std::optional<StreamInfo> FindStream(std::string_view name) override;
  std::vector<StreamInfo> Streams() override;
  PartitionInfo Describe(StreamId stream, PartitionId partition) override;
  Offset OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end) override;
  std::unique_ptr<EpochWriter> BeginEpoch() override;
  std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                     Visibility visibility) override;
  Positions ReaderPositions(std::string_view reader) override;
  SourcePositions ReadSourcePositions(std::string_view source) override;
  SubscriptionId Subscribe(StreamId stream, Visibility visibility,
                           std::function<void()> notify) override;
  void Unsubscribe(SubscriptionId subscription) override;
  bool disk_full() const override { return disk_full_.load(std::memory_order_relaxed); }

 private:
  class Writer;
  struct Epoch {
    EpochContent content;
    CommitCallback callback;
    CommitOutcome outcome = CommitOutcome::kCommitted;
    bool appended = false;  // Has offsets, and is durable once decided.
  };

  explicit MemoryTransport(bool immediate) : immediate_(immediate) {}
  void Commit(std::unique_ptr<Epoch> epoch) MR_EXCLUDES(mutex_);
  CommitOutcome NextOutcome() MR_REQUIRES(mutex_);
  bool DecideOne() MR_EXCLUDES(mutex_);

  const bool immediate_;
  StreamTable table_{nullptr, SIZE_MAX};

  // Lock order: mutex_, then the table's.
  Mutex mutex_;
  uint32_t next_stream_ MR_GUARDED_BY(mutex_) = 1;
  std::deque<CommitOutcome> script_ MR_GUARDED_BY(mutex_);
  Rng rng_ MR_GUARDED_BY(mutex_){0};
  Probabilities probabilities_ MR_GUARDED_BY(mutex_);
  std::deque<std::unique_ptr<Epoch>> queue_ MR_GUARDED_BY(mutex_);
  bool deciding_ MR_GUARDED_BY(mutex_) = false;
  /// A kUnknown epoch that Restart will show.
  std::unique_ptr<Epoch> in_doubt_ MR_GUARDED_BY(mutex_);
  /// What takes later epochs with it until its callback has run; kCommitted: nothing.
  CommitOutcome cascade_ MR_GUARDED_BY(mutex_) = CommitOutcome::kCommitted;
  std::atomic<bool> disk_full_{false};
};

}  // namespace millrace
