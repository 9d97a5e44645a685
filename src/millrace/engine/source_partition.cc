#include "millrace/engine/source_partition.h"

#include <algorithm>
#include <numeric>

#include "millrace/base/planted_bug.h"

namespace millrace {

Result<SourcePartition::Slice> SourcePartition::Poll(Offset end, size_t bytes_max) {
  Slice slice;
  if (cursor_->position() >= end) {
    return slice;
  }
  const Offset from = cursor_->position();
  MR_ASSIGN(const auto frames, cursor_->Poll(bytes_max));
  for (const StreamFrame& frame : frames) {
    if (frame.begin >= end) {
      cursor_->Seek(frame.begin);
      break;
    }
    slice.any = true;
    if (!input_.is_view) {
      watermark_.max_event_time = std::max(watermark_.max_event_time, frame.max_event_time_before);
    }
    if (frame.type == FrameType::kData) {
      // Frames may have been joined since the position was committed.
      const auto read_before = static_cast<uint32_t>(std::max<int64_t>(from - frame.begin, 0));
      slice.pieces.push_back({PrepareRows(frame, read_before), frame.batch, frame.begin});
      slice.rows += frame.count - read_before;
      slice.bytes += frame.batch->MemoryBytes();
      watermark_.idle = false;
    } else if (frame.type == FrameType::kControl) {
      MR_ASSIGN(const auto control, ControlFrame::Decode(frame.payload->bytes()));
      watermark_.idle = control.kind == ControlFrame::Kind::kIdle;
      watermark_.ended = watermark_.ended || control.kind == ControlFrame::Kind::kEnd;
      if (control.kind == ControlFrame::Kind::kWatermark) {
        watermark_.max_event_time = std::max(watermark_.max_event_time, control.time);
      }
    }
    if (!input_.is_view) {
      watermark_.max_event_time = std::max(watermark_.max_event_time, frame.times.max);
    }
  }
  return slice;
}

BatchPtr SourcePartition::PrepareRows(const StreamFrame& frame, uint32_t read_before) {
  std::vector<Column> columns;
  columns.reserve(input_.columns.size());
  for (const size_t column : input_.columns) {
    columns.push_back(frame.batch->column(column));
  }
  std::vector<int64_t> offsets(frame.count);
  std::iota(offsets.begin(), offsets.end(), frame.begin.value());
  BatchPtr whole = Batch::Make(input_.schema, std::move(columns), frame.count,
                               {.weights = frame.batch->extras().weights,
                                .watermarks_before = WatermarksBefore(frame, read_before),
                                .offsets = Buffer::Own(std::move(offsets))});
  if (read_before == 0) {
    return whole;
  }
  std::vector<uint32_t> rest(frame.count - read_before);
  std::iota(rest.begin(), rest.end(), read_before);
  return GatherRows(*whole, rest);
}

BufferPtr SourcePartition::WatermarksBefore(const StreamFrame& frame, uint32_t read_before) const {
  if (!input_.event_time || !input_.grace_min) {
    return nullptr;
  }
  if (input_.is_view) {
    // The view's writer has put its watermark between frames.
    const Micros before = watermark_.Get(0);
    return before == kMicrosMin ? nullptr : Buffer::Own(std::vector<Micros>(frame.count, before));
  }
  // A window ends behind each of its rows: when even the earliest row is ahead of every watermark
  // inside the frame, none can be late.
  const Micros last = std::max(watermark_.max_event_time, frame.times.max);
  if (last == kMicrosMin || frame.times.min > last - input_.watermark_delay - *input_.grace_min) {
    return nullptr;
  }
  const Column& times = frame.batch->column(*input_.event_time);
  const auto values = times.Values<Micros>();
  std::vector<Micros> watermarks(frame.count);
  PartitionWatermark running = watermark_;
  for (size_t row = read_before; row < watermarks.size(); ++row) {
    watermarks[row] = running.Get(input_.watermark_delay);
    if (!times.IsNull(row) && values[row] <= frame.times.limit &&
        !MR_PLANTED(LatenessOfWholeFrame)) {
      running.max_event_time = std::max(running.max_event_time, values[row]);
    }
  }
  return Buffer::Own(std::move(watermarks));
}

}  // namespace millrace
