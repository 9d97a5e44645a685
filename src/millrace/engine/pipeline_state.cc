#include "millrace/engine/pipeline_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"

namespace millrace {

namespace {

// A state frame: u8 version, u64 epoch, i64 stage watermark, u8 started, u32 count of source
// partitions with i64 largest event time, u8 idle, u8 ended each; u32 count of sections, each u32
// state partition, u32 length, and the rows as KeyedState::Seal writes them.
constexpr uint8_t kFrameVersion = 1;

/// A frame's share of the rolling snapshot: as much as the changes, so that a walk over the state
/// doubles what is written, and at least this, so that small states finish their walk soon.
constexpr size_t kSnapshotBytesMin = 2048;

size_t ValueBytes(const PipelinePlan& plan) {
  return plan.group_by ? plan.group_by->layout().value_bytes() : 0;
}

void PutSection(uint32_t partition, const Bytes& rows, ByteWriter& writer) {
  writer.Put(partition);
  writer.Put(static_cast<uint32_t>(rows.size()));
  writer.PutBytes(rows);
}

}  // namespace

PipelineState::PipelineState(const PipelinePlan& plan, size_t state_partitions,
                             size_t source_partitions)
    : source_watermarks(source_partitions), has_state_(plan.group_by.has_value()) {
  for (size_t i = 0; i < (has_state_ ? state_partitions : 0); ++i) {
    partitions_.emplace_back(ValueBytes(plan));
  }
  sealed_.resize(partitions_.size());
}

void PipelineState::BeginEpoch(EpochId epoch) {
  last_epoch = epoch;
  for (KeyedState& partition : partitions_) {
    partition.BeginEpoch(epoch);
  }
  if (cycle_first_epoch_ == EpochId()) {
    cycle_first_epoch_ = epoch;
  }
}

Bytes PipelineState::Seal() {
  Bytes frame;
  ByteWriter writer(frame);
  writer.Put(kFrameVersion);
  writer.Put(last_epoch.value());
  writer.Put(stage_watermark);
  writer.Put(started);
  writer.Put(static_cast<uint32_t>(source_watermarks.size()));
  for (const PartitionWatermark& watermark : source_watermarks) {
    writer.Put(watermark.max_event_time);
    writer.Put(watermark.idle);
    writer.Put(watermark.ended);
  }
  const size_t count_at = frame.size();
  uint32_t sections = 0;
  writer.Put(sections);
  Bytes rows;
  size_t change_bytes = 0;
  for (uint32_t i = 0; i < partitions_.size(); ++i) {
    rows.clear();
    partitions_[i].Seal(rows);
    change_bytes += rows.size();
    PutSection(i, rows, writer);
    ++sections;
  }
  size_t snapshot_bytes = std::max(change_bytes, kSnapshotBytesMin);
  while (snapshot_partition_ < partitions_.size() && snapshot_bytes > 0) {
    rows.clear();
    const bool complete = partitions_[snapshot_partition_].AppendSnapshot(snapshot_bytes, rows);
    PutSection(static_cast<uint32_t>(snapshot_partition_), rows, writer);
    ++sections;
    snapshot_bytes -= std::min(snapshot_bytes, rows.size());
    if (!complete) {
      break;
    }
    ++snapshot_partition_;
  }
  if (snapshot_partition_ == partitions_.size()) {
    complete_cycle_first_epoch_ = cycle_first_epoch_;
    cycle_first_epoch_ = EpochId();
    snapshot_partition_ = 0;
  }
  writer.Patch(count_at, sections);
  return frame;
}

void PipelineState::Committed(EpochId epoch, Offset state_offset) {
  for (KeyedState& partition : partitions_) {
    partition.Committed(epoch);
  }
  cycle_offsets_.emplace_back(epoch, state_offset);
  if (complete_cycle_first_epoch_) {
    const auto first = std::ranges::find(cycle_offsets_, *complete_cycle_first_epoch_,
                                         &std::pair<EpochId, Offset>::first);
    if (first != cycle_offsets_.end()) {
      trim_ = first->second;
      cycle_offsets_.erase(cycle_offsets_.begin(), first);
      complete_cycle_first_epoch_.reset();
    }
  }
}

void PipelineState::Rollback(EpochId epoch) {
  for (KeyedState& partition : partitions_) {
    partition.Rollback(epoch);
  }
  // What the walk wrote in these epochs is gone: it starts again.
  snapshot_partition_ = 0;
  cycle_first_epoch_ = EpochId();
  complete_cycle_first_epoch_.reset();
}

std::optional<Offset> PipelineState::TakeTrim() { return std::exchange(trim_, std::nullopt); }

Status PipelineState::Restore(Cursor& cursor, WorkerPool& workers) {
  constexpr size_t kBytesPerPoll = 16 << 20;
  while (true) {
    MR_ASSIGN(const auto frames, cursor.Poll(kBytesPerPoll));
    if (frames.empty()) {
      return {};
    }
    std::vector<std::vector<Section>> sections(partitions_.size());
    for (const StreamFrame& frame : frames) {
      if (MR_PLANTED(StateFrameSkipped) && &frame == &frames.back()) {
        continue;
      }
      MR_TRY(ReadFrame(frame.payload->bytes(), sections));
    }
    std::vector<Status> restored(partitions_.size());
    workers.ForEach(partitions_.size(), [&](size_t partition) {
      for (const Section section : sections[partition]) {
        ByteReader reader(section);
        if (restored[partition]) {
          restored[partition] = partitions_[partition].Restore(reader);
        }
      }
    });
    for (Status& status : restored) {
      MR_TRY(std::move(status));
    }
  }
}

Status PipelineState::ReadFrame(std::span<const std::byte> payload,
                                std::vector<std::vector<Section>>& sections) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kFrameVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("state frame of version {}", version));
  }
  MR_ASSIGN(const auto epoch, reader.Get<uint64_t>());
  last_epoch = EpochId(epoch);
  MR_ASSIGN(stage_watermark, reader.Get<Micros>());
  MR_ASSIGN(const auto was_started, reader.Get<uint8_t>());
  started = was_started != 0;
  MR_ASSIGN(const auto sources, reader.Get<uint32_t>());
  if (sources != source_watermarks.size()) {
    return Err(ErrorCode::kStateMismatch,
               fmt::format("state of {} source partitions, the stream has {}", sources,
                           source_watermarks.size()));
  }
  for (PartitionWatermark& watermark : source_watermarks) {
    MR_ASSIGN(watermark.max_event_time, reader.Get<Micros>());
    MR_ASSIGN(const auto idle, reader.Get<uint8_t>());
    MR_ASSIGN(const auto ended, reader.Get<uint8_t>());
    watermark.idle = idle != 0;
    watermark.ended = ended != 0;
  }
  MR_ASSIGN(const auto count, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
    MR_ASSIGN(const auto length, reader.Get<uint32_t>());
    MR_ASSIGN(const auto rows, reader.GetBytes(length));
    if (partition >= partitions_.size()) {
      return Err(ErrorCode::kStateMismatch,
                 fmt::format("state of partition {}, there are {}", partition, partitions_.size()));
    }
    sections[partition].push_back(rows);
  }
  return {};
}

size_t PipelineState::keys() const {
  size_t keys = 0;
  for (const KeyedState& partition : partitions_) {
    keys += partition.keys();
  }
  return keys;
}

size_t PipelineState::MemoryBytes() const {
  size_t bytes = 0;
  for (const KeyedState& partition : partitions_) {
    bytes += partition.MemoryBytes();
  }
  return bytes;
}

}  // namespace millrace
