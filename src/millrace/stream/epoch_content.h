#pragma once

#include <string>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/stream/frame.h"

namespace millrace {

/// One Append of an epoch. Offsets are set by StreamTable::Append.
struct AppendedFrame {
  StreamId stream;
  PartitionId partition;
  StreamFrame frame;
  Bytes encoded;  ///< Embedded transport: room for the header, then the payload as stored.
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
