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
/// one frame per epoch with the watermarks, the changed rows of every state partition, and a piece
/// of the rolling snapshot. Used by the pipeline's thread; during a phase each state partition by
/// one worker.
class PipelineState {
 public:
  /// `snapshot_bytes_min`: what each frame holds at least of the rolling snapshot.
  PipelineState(const PipelinePlan& plan, size_t state_partitions, size_t source_partitions,
                size_t snapshot_bytes_min);

  size_t partitions() const { return partitions_.size(); }
  KeyedState& partition(size_t index) { return partitions_[index]; }

  /// The watermark that windows were closed at.
  Micros stage_watermark = kMicrosMin;
  /// As of the end of the last epoch.
  std::vector<PartitionWatermark> source_watermarks;
  EpochId last_epoch;
  /// Whether the single group of an aggregation without GROUP BY was put out.
  bool started = false;

  void BeginEpoch(EpochId epoch);

  /// Closes the open epoch and returns its state frame.
  Bytes Seal();

  void Committed(EpochId epoch, Offset state_offset);
  void Rollback(EpochId epoch);

  /// First offset of the state stream that a restart still needs, when it has moved.
  std::optional<Offset> TakeTrim();

  /// Applies all state frames, oldest first, the state partitions side by side. Errors:
  /// kCorruption, kStateMismatch, kIoError.
  Status Restore(Cursor& cursor, WorkerPool& workers);

  size_t keys() const;
  size_t MemoryBytes() const;

 private:
  /// Rows of one state partition in a state frame.
  using Section = std::span<const std::byte>;
  /// Applies what a frame says besides rows, and adds its sections by state partition.
  Status ReadFrame(std::span<const std::byte> payload, std::vector<std::vector<Section>>& sections);

  const bool has_state_;
  const size_t snapshot_bytes_min_;
  std::vector<KeyedState> partitions_;
  std::vector<Bytes> sealed_;
  /// The rolling snapshot: the partition it is in, and the first epoch of the walk it is on and of
  /// the one before.
  size_t snapshot_partition_ = 0;
  EpochId cycle_first_epoch_;
  std::optional<EpochId> complete_cycle_first_epoch_;
  std::vector<std::pair<EpochId, Offset>> cycle_offsets_;  // Of first epochs, once committed.
  std::optional<Offset> trim_;
};

}  // namespace millrace
