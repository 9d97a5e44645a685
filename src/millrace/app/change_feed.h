#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/app/query_metrics.h"
#include "millrace/base/mutex.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/engine/served_rows.h"
#include "millrace/serve/responder.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// One client's view of a stream's durable changes: a bounded buffer of rendered events, filled by
/// the feeds' thread and emptied by the connection. When the client is slow the buffer stays full
/// and the feed falls behind in the stream; it never grows.
class ChangeFeed {
 public:
  static constexpr size_t kBufferBytes = 256 << 10;

  /// Starts at `position`; with `snapshot` its rows come first (it may be null).
  ChangeFeed(Transport& transport, StreamInfo stream, std::vector<Offset> position,
             std::shared_ptr<const ServedRows::Root> snapshot, FeedMetrics metrics);
  ~ChangeFeed() { metrics_.open_feeds.Add(-1); }

  /// Before the first Fill: says where the feed begins, so that a client that goes away before the
  /// first change can come back.
  void AnnouncePosition() MR_EXCLUDES(mutex_);

  /// Before the first Fill of a feed from the begin: says that the position which the client had
  /// was in another stream, which the view had before it was rebuilt.
  void AnnounceRebuilt() MR_EXCLUDES(mutex_);

  /// The feeds' thread: renders what is durable until the buffer is full. Returns true when there
  /// may be more.
  bool Fill() MR_EXCLUDES(mutex_);

  /// The feeds' thread: when the stream's name is another one's now, says so and ends. The event's
  /// position is the begin of that one.
  void EndIfReplaced() MR_EXCLUDES(mutex_);

  /// The connection: what is there, up to `bytes_max`.
  serve::EventSource::Chunk Take(size_t bytes_max) MR_EXCLUDES(mutex_);
  void SetWake(std::function<void()> wake) MR_EXCLUDES(mutex_);

  const StreamInfo& stream() const { return stream_; }

 private:
  struct Rendered {
    std::string bytes;
    uint32_t gaps = 0;
  };
  void RenderPosition(std::string& out) const;
  bool RenderSnapshot(Rendered& out);
  bool RenderChanges(Rendered& out);
  void RenderFrame(size_t partition, const StreamFrame& frame, Offset from, Rendered& out);
  void SkipGap(size_t partition, Rendered& out);

  const StreamInfo stream_;
  Transport& transport_;
  const RowJsonWriter writer_;
  const FeedMetrics metrics_;
  std::vector<std::unique_ptr<Cursor>> cursors_;
  std::vector<Offset> position_;
  std::shared_ptr<const ServedRows::Root> snapshot_;
  size_t snapshot_page_ = 0;

  Mutex mutex_;
  std::string buffer_ MR_GUARDED_BY(mutex_);
  uint32_t gaps_ MR_GUARDED_BY(mutex_) = 0;
  bool ended_ MR_GUARDED_BY(mutex_) = false;
  std::function<void()> wake_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace
