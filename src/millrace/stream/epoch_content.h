#pragma once

#include <span>
#include <string>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/data/buffer.h"
#include "millrace/stream/frame.h"

namespace millrace {

/// A frame as the embedded transport stores it. An opaque payload stays where it is: state frames
/// may have hundreds of megabytes.
struct StoredFrame {
  Bytes head;         ///< Room for the header, then the payload unless it is opaque.
  BufferPtr payload;  ///< Opaque; may be null.

  size_t size() const { return head.size() + (payload == nullptr ? 0 : payload->size()); }
  void AppendTo(std::vector<std::span<const std::byte>>& pieces) const {
    pieces.emplace_back(head);
    if (payload != nullptr) {
      pieces.push_back(payload->bytes());
    }
  }
};

/// One Append of an epoch. Offsets are set by StreamTable::Append.
struct AppendedFrame {
  StreamId stream;
  PartitionId partition;
  StreamFrame frame;
  StoredFrame encoded;
};

struct PositionUpdate {
  std::string reader;
  StreamId stream;
  PartitionId partition;
  Offset next;  ///< kForgottenPosition: the position is no more.
};
inline constexpr Offset kForgottenPosition{-1};

struct SourcePositionUpdate {
  std::string source;
  std::string split;
  std::string value;  ///< Empty: the split is forgotten.
};

struct TrimUpdate {
  StreamId stream;
  PartitionId partition;
  Offset begin;
};

/// What one epoch commits.
struct EpochContent {
  std::vector<AppendedFrame> frames;
  std::vector<PositionUpdate> positions;
  std::vector<SourcePositionUpdate> source_positions;
  std::vector<TrimUpdate> trims;
};

}  // namespace millrace
