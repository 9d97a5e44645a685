#pragma once

#include <vector>

#include "millrace/stream/embedded/frame_codec.h"

namespace millrace {

/// Joins small frames of rows that follow each other in a partition into larger ones, on their way
/// from the journal to a segment: each frame costs a header on disk, an entry in memory and a read
/// at the next start, and a request or an epoch may have a few rows only. Used by one thread.
class FrameJoiner {
 public:
  /// A stored frame, as it came or joined.
  struct Stored {
    FrameKey key;
    BufferPtr bytes;
  };

  FrameJoiner(StreamInfo stream, uint64_t identity)
      : stream_(std::move(stream)), identity_(identity) {}

  /// Whether a frame can be joined with those added since Take; the first always.
  bool Fits(const StoredFrameHeader& header) const;

  /// Adds a checked frame, for which Fits holds.
  void Add(const StoredFrameHeader& header, BufferPtr bytes);

  bool empty() const { return headers_.empty(); }

  /// Returns the frames added, as one; or as they are when that would not be smaller. Errors:
  /// kCorruption.
  Result<std::vector<Stored>> Take();

 private:
  Result<Stored> Join() const;
  std::vector<Stored> AsTheyAre();

  const StreamInfo stream_;
  const uint64_t identity_;
  std::vector<StoredFrameHeader> headers_;
  std::vector<BufferPtr> frames_;
  size_t bytes_ = 0;
  size_t rows_ = 0;
};

}  // namespace millrace
