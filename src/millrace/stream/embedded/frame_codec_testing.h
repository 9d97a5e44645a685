#pragma once

#include <vector>

#include "millrace/stream/epoch_content.h"

namespace millrace {

/// A frame as it is on disk, in one piece.
inline Bytes BytesOf(const StoredFrame& frame) {
  std::vector<std::span<const std::byte>> pieces;
  frame.AppendTo(pieces);
  Bytes bytes;
  for (const auto piece : pieces) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  return bytes;
}

}  // namespace millrace
