#include "millrace/app/change_feed.h"

#include <fmt/format.h>

#include "millrace/app/position_text.h"
#include "millrace/data/row_decoder.h"
#include "millrace/serve/event_text.h"

namespace millrace {

namespace {

constexpr size_t kBytesPerPoll = 128 << 10;

std::string BeginOf(const StreamInfo& stream) {
  return FormatPositionIn(stream, std::vector<Offset>(stream.definition.partitions, Offset(0)));
}

void AppendRebuilt(const std::string& begin, std::string& out) {
  serve::AppendEvent(out, "rebuilt", begin, fmt::format("{{\"position\":\"{}\"}}", begin));
}

}  // namespace

ChangeFeed::ChangeFeed(Transport& transport, StreamInfo stream, std::vector<Offset> position,
                       std::shared_ptr<const ServedRows::Root> snapshot, FeedMetrics metrics)
    : stream_(std::move(stream)),
      transport_(transport),
      writer_(*stream_.definition.schema),
      metrics_(metrics),
      position_(std::move(position)),
      snapshot_(std::move(snapshot)) {
  metrics_.open_feeds.Add(1);
  for (uint32_t p = 0; p < position_.size(); ++p) {
    cursors_.push_back(
        transport.OpenCursor(stream_.id, PartitionId(p), position_[p], Visibility::kDurable));
  }
}

void ChangeFeed::AnnouncePosition() {
  MutexLock lock(mutex_);
  RenderPosition(buffer_);
}

void ChangeFeed::AnnounceRebuilt() {
  MutexLock lock(mutex_);
  AppendRebuilt(BeginOf(stream_), buffer_);
}

void ChangeFeed::RenderPosition(std::string& out) const {
  const std::string id = FormatPositionIn(stream_, position_);
  serve::AppendEvent(out, "progress", id, fmt::format("{{\"position\":\"{}\"}}", id));
}

bool ChangeFeed::Fill() {
  size_t room = 0;
  {
    MutexLock lock(mutex_);
    room = ended_ || buffer_.size() >= kBufferBytes ? 0 : kBufferBytes - buffer_.size();
  }
  if (room == 0) {
    return false;
  }
  Rendered rendered;
  const bool more = snapshot_ != nullptr ? RenderSnapshot(rendered) : RenderChanges(rendered);
  metrics_.rendered_bytes.Add(static_cast<double>(rendered.bytes.size()));
  metrics_.gaps.Add(rendered.gaps);
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    buffer_ += rendered.bytes;
    gaps_ += rendered.gaps;
    if (!rendered.bytes.empty() || ended_) {
      wake = wake_;
    }
  }
  if (wake) {
    wake();
  }
  return more;
}

bool ChangeFeed::RenderSnapshot(Rendered& out) {
  RowDecoder decoder(stream_.definition.schema);
  while (snapshot_page_ < snapshot_->pages() && out.bytes.size() < kBytesPerPoll) {
    decoder.Clear();
    std::vector<int64_t> counts;
    snapshot_->VisitPage(snapshot_page_++, [&](std::string_view row, int64_t count) {
      decoder.Add(row);
      counts.push_back(count);
    });
    const BatchPtr rows = decoder.Finish();
    for (size_t i = 0; i < counts.size(); ++i) {
      std::string data = fmt::format("{{\"weight\":{},\"row\":", counts[i]);
      writer_.Append(*rows, i, data);
      data += '}';
      serve::AppendEvent(out.bytes, "snapshot", "", data);
    }
  }
  if (snapshot_page_ == snapshot_->pages()) {
    snapshot_.reset();
    RenderPosition(out.bytes);
  }
  return true;
}

bool ChangeFeed::RenderChanges(Rendered& out) {
  bool more = false;
  for (size_t p = 0; p < cursors_.size(); ++p) {
    const Offset from = cursors_[p]->position();
    auto frames = cursors_[p]->Poll(kBytesPerPoll);
    if (!frames && frames.error().code() == ErrorCode::kOffsetOutOfRange) {
      if (IsOfView(stream_)) {
        // Its records only go with the stream, when another takes its place: EndIfReplaced.
        return more;
      }
      SkipGap(p, out);
      more = true;
      continue;
    }
    if (!frames) {
      MutexLock lock(mutex_);
      ended_ = true;
      return false;
    }
    for (const StreamFrame& frame : *frames) {
      more = true;
      RenderFrame(p, frame, from, out);
    }
  }
  return more;
}

void ChangeFeed::EndIfReplaced() {
  const auto of_name = transport_.FindStream(stream_.definition.name);
  if (of_name && of_name->id == stream_.id) {
    return;
  }
  const std::string id = of_name ? BeginOf(*of_name) : "";
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (ended_) {
      return;
    }
    AppendRebuilt(id, buffer_);
    ended_ = true;
    wake = wake_;
  }
  if (wake) {
    wake();
  }
}

void ChangeFeed::RenderFrame(size_t partition, const StreamFrame& frame, Offset from,
                             Rendered& out) {
  if (frame.type != FrameType::kData) {
    position_[partition] = frame.end();
    return;
  }
  for (uint32_t row = 0; row < frame.count; ++row) {
    if (frame.begin + row < from) {
      continue;
    }
    position_[partition] = frame.begin + row + 1;
    std::string data = fmt::format("{{\"weight\":{},\"row\":", frame.batch->Weight(row));
    writer_.Append(*frame.batch, row, data);
    data += '}';
    serve::AppendEvent(out.bytes, "change", FormatPositionIn(stream_, position_), data);
  }
}

void ChangeFeed::SkipGap(size_t partition, Rendered& out) {
  const PartitionInfo info =
      transport_.Describe(stream_.id, PartitionId(static_cast<uint32_t>(partition)));
  const Offset missing_from = position_[partition];
  position_[partition] = info.begin;
  cursors_[partition]->Seek(info.begin);
  serve::AppendEvent(out.bytes, "gap", FormatPositionIn(stream_, position_),
                     fmt::format("{{\"partition\":{},\"from\":{},\"to\":{}}}", partition,
                                 missing_from, info.begin));
  ++out.gaps;
}

serve::EventSource::Chunk ChangeFeed::Take(size_t bytes_max) {
  MutexLock lock(mutex_);
  serve::EventSource::Chunk chunk;
  if (buffer_.size() <= bytes_max) {
    chunk.bytes = std::exchange(buffer_, {});
  } else {
    // Whole events only: the last end of an event within the limit, or the first behind it.
    size_t end = buffer_.rfind("\n\n", bytes_max);
    end = end == std::string::npos ? buffer_.find("\n\n") : end;
    chunk.bytes = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 2);
  }
  chunk.gaps_count = std::exchange(gaps_, 0);
  chunk.is_end = ended_ && buffer_.empty();
  return chunk;
}

void ChangeFeed::SetWake(std::function<void()> wake) {
  MutexLock lock(mutex_);
  wake_ = std::move(wake);
}

}  // namespace millrace
