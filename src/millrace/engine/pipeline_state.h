#pragma once

#include <optional>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/source_partition.h"
#include "millrace/engine/worker_pool.h"
#include "millrace/state/keyed_state.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Everything a pipeline remembers from epoch to epoch, and its form in the stream state$<view>:
/// one frame per epoch with the watermarks, the changed rows of every state table, and a piece of
/// the rolling snapshot. Used by the pipeline's thread; during a phase each state partition by one
/// worker.
class PipelineState {
 public:
  /// `snapshot_bytes_min`: what each frame holds at least of the rolling snapshot.
  PipelineState(const PipelinePlan& plan, size_t state_partitions, size_t source_partitions,
                size_t snapshot_bytes_min);

  size_t partitions() const { return partitions_; }
  /// The state tables of one operator in one state partition.
  std::vector<KeyedState*> TablesOf(size_t op, size_t partition);
  /// Keys of the first of them.
  size_t KeysOf(size_t op, size_t partition) const {
    return tables_[first_tables_[op] * partitions_ + partition].keys();
  }

  /// What an epoch changes besides rows.
  struct Progress {
    /// By input: the watermark that windows were closed at.
    std::vector<Micros> input_watermarks;
    /// By operator: below which event time it puts out no more rows.
    std::vector<Micros> operator_watermarks;
    /// As of the end of the last epoch; partitions of the first input come first.
    std::vector<PartitionWatermark> source_watermarks;
    /// The last control frame in the view's stream: a ControlFrame::Kind, 0 for none, and its time.
    uint8_t said_kind = 0;
    Micros said_time = 0;
    /// Whether there was an epoch, so that operators have put out what they start with.
    bool started = false;
  };
  Progress progress;
  EpochId last_epoch;

  void BeginEpoch(EpochId epoch);

  /// Closes the open epoch and returns its state frame.
  Bytes Seal();

  void Committed(EpochId epoch, Offset state_offset);
  /// Undoes `epoch` and all later ones; `before` was taken when it began.
  void Rollback(EpochId epoch, const Progress& before);

  /// First offset of the state stream that a restart still needs, when it has moved.
  std::optional<Offset> TakeTrim();

  /// Applies all state frames, oldest first, the tables side by side. Errors:
  /// kCorruption, kStateMismatch, kIoError.
  Status Restore(Cursor& cursor, WorkerPool& workers);

  size_t keys() const;
  size_t MemoryBytes() const;

 private:
  /// Rows of one state table in a state frame.
  using Section = std::span<const std::byte>;
  /// Applies what a frame says besides rows, and adds its sections by table.
  Status ReadFrame(std::span<const std::byte> payload, std::vector<std::vector<Section>>& sections);

  static Status ReadMicros(ByteReader& reader, std::vector<Micros>& values);

  const size_t snapshot_bytes_min_;
  const size_t partitions_;
  /// First table of each operator, as if there were one partition.
  std::vector<size_t> first_tables_;
  /// The partitions of a table side by side.
  std::vector<KeyedState> tables_;
  /// The rolling snapshot: the table it is in, and the first epoch of the walk it is on and of the
  /// one before.
  size_t snapshot_table_ = 0;
  size_t frame_bytes_ = 0;  // Of the last one.
  EpochId cycle_first_epoch_;
  std::optional<EpochId> complete_cycle_first_epoch_;
  std::vector<std::pair<EpochId, Offset>> cycle_offsets_;  // Of first epochs, once committed.
  std::optional<Offset> trim_;
};

}  // namespace millrace
