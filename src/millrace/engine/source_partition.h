#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "millrace/engine/pipeline_plan.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The watermark of one partition of a stream as one pipeline has read it: the largest event time
/// so far, in offset order, less the delay (design section 6, "Time").
struct PartitionWatermark {
  Micros max_event_time = kMicrosMin;
  bool idle = true;  ///< Until its first record, and after an idle frame.
  bool ended = false;

  Micros Get(Micros delay) const {
    if (ended) {
      return kMicrosMax;
    }
    return max_event_time == kMicrosMin ? kMicrosMin : max_event_time - delay;
  }
};

/// One source partition of a pipeline: its cursor and watermark. Used by one thread at a time.
class SourcePartition {
 public:
  SourcePartition(const PipelineInput& input, std::unique_ptr<Cursor> cursor)
      : input_(input), cursor_(std::move(cursor)) {}

  /// What one frame brings.
  struct Piece {
    BatchPtr rows;      ///< Of the input's schema, with row extras.
    BatchPtr original;  ///< All columns of the stream, for reports of rows.
    Offset begin;       ///< Of the original's first row.
  };
  struct Slice {
    std::vector<Piece> pieces;
    uint64_t rows = 0;
    size_t bytes = 0;
    bool any = false;  ///< Whether anything at all was read, control frames too.
  };

  /// Reads about `bytes_max`, but nothing from offset `end` on.
  Result<Slice> Poll(Offset end, size_t bytes_max);

  Offset position() const { return cursor_->position(); }
  const PartitionWatermark& watermark() const { return watermark_; }
  /// Goes back to where an epoch began.
  void Reset(Offset position, const PartitionWatermark& watermark) {
    cursor_->Seek(position);
    watermark_ = watermark;
  }

 private:
  /// Without the frame's first `read_before` rows.
  BatchPtr PrepareRows(const StreamFrame& frame, uint32_t read_before);
  BufferPtr WatermarksBefore(const StreamFrame& frame, uint32_t read_before) const;

  const PipelineInput& input_;
  std::unique_ptr<Cursor> cursor_;
  PartitionWatermark watermark_;
};

}  // namespace millrace
