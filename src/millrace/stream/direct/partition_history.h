#pragma once

#include <string>
#include <string_view>

#include "millrace/stream/frame.h"

namespace millrace {

/// What a writer must know of a partition's frames to go on behind them.
struct PartitionHistory {
  Micros max_event_time = kMicrosMin;
  /// The last frame if that is one; kActive for rows.
  ControlFrame last{.kind = ControlFrame::Kind::kActive, .time = kMicrosMin};

  void Note(const StreamFrame& frame);

  std::string Encode() const;
  /// Errors: kCorruption.
  static Result<PartitionHistory> Decode(std::string_view text);
};

}  // namespace millrace
