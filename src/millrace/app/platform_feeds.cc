#include "millrace/app/platform_feeds.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/position_text.h"

namespace millrace {

/// What the thread waits for, and the feeds there are.
struct PlatformFeeds::Signal {
  Mutex mutex;
  CondVar wakeup;
  bool woken MR_GUARDED_BY(mutex) = false;
  bool stopping MR_GUARDED_BY(mutex) = false;
  bool replaced MR_GUARDED_BY(mutex) = false;  ///< Since the thread has looked at it.
  std::vector<std::weak_ptr<ChangeFeed>> feeds MR_GUARDED_BY(mutex);

  void NoteReplacement() MR_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    replaced = true;
    woken = true;
    wakeup.NotifyOne();
  }

  void Wake() MR_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    woken = true;
    wakeup.NotifyOne();
  }
};

class PlatformFeeds::Source final : public serve::EventSource {
 public:
  Source(std::shared_ptr<ChangeFeed> feed, std::shared_ptr<Signal> signal)
      : feed_(std::move(feed)), signal_(std::move(signal)) {}

  void Start(std::function<void()> wake) override {
    feed_->SetWake(std::move(wake));
    signal_->Wake();
  }

  Chunk Next(size_t bytes_max) override {
    Chunk chunk = feed_->Take(bytes_max);
    if (!chunk.bytes.empty()) {
      signal_->Wake();
    }
    return chunk;
  }

 private:
  const std::shared_ptr<ChangeFeed> feed_;
  const std::shared_ptr<Signal> signal_;
};

PlatformFeeds::PlatformFeeds(Platform& platform, FeedMetrics metrics)
    : platform_(platform), metrics_(metrics), signal_(std::make_shared<Signal>()) {
  thread_ = Thread("mr-feeds", [this] { Loop(); });
  platform_.SetReplacementListener([signal = signal_] { signal->NoteReplacement(); });
}

PlatformFeeds::~PlatformFeeds() {
  platform_.SetReplacementListener({});
  {
    MutexLock lock(signal_->mutex);
    signal_->stopping = true;
    signal_->wakeup.NotifyOne();
  }
  thread_.Join();
  MutexLock lock(mutex_);
  for (const auto& [stream, id] : subscriptions_) {
    platform_.transport().Unsubscribe(id);
  }
}

void PlatformFeeds::Open(serve::FeedRequest request, Done done) {
  auto feed = MakeFeed(request);
  if (!feed) {
    done(Err(feed.error()));
    return;
  }
  const StreamId stream = (*feed)->stream().id;
  {
    MutexLock lock(signal_->mutex);
    signal_->feeds.push_back(*feed);
  }
  {
    // Not under the signal's lock, which the notification takes.
    MutexLock lock(mutex_);
    auto [place, is_new] = subscriptions_.try_emplace(stream);
    if (is_new) {
      place->second = platform_.transport().Subscribe(stream, Visibility::kDurable,
                                                      [signal = signal_] { signal->Wake(); });
    }
  }
  (*feed)->EndIfReplaced();  // It may have been before the feed was among the others.
  done(std::unique_ptr<serve::EventSource>(std::make_unique<Source>(*std::move(feed), signal_)));
}

Result<StreamInfo> PlatformFeeds::FindStream(const serve::FeedRequest& request) const {
  const bool is_view = request.kind == serve::FeedKind::kView;
  if (is_view && platform_.views()->Find(request.name) == nullptr) {
    return Err(ErrorCode::kSqlUnknownRelation, fmt::format("there is no view {}", request.name));
  }
  auto stream = platform_.transport().FindStream(request.name);
  if (!stream || stream->definition.schema == nullptr) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", request.name));
  }
  MR_TRY(CheckIsStored(stream->definition));
  return *std::move(stream);
}

Result<std::shared_ptr<ChangeFeed>> PlatformFeeds::MakeFeed(const serve::FeedRequest& request) {
  MR_ASSIGN(StreamInfo stream, FindStream(request));
  std::vector<Offset> position;
  bool is_rebuilt = false;
  std::shared_ptr<const ServedRows::Root> snapshot;
  if (!request.from.empty()) {
    MR_ASSIGN(auto from, ParsePositionIn(stream, request.from));
    is_rebuilt = !from;
    position =
        from ? *std::move(from) : std::vector<Offset>(stream.definition.partitions, Offset(0));
  }
  if (request.with_snapshot) {
    if (request.kind != serve::FeedKind::kView) {
      return Err(ErrorCode::kHttpBadRequest, "snapshot=true is for views; streams are read from=0");
    }
    const auto view = platform_.views()->Find(request.name);
    if (view->runner().view_stream() != stream.id) {
      return Err(ErrorCode::kUnavailable, "the view was just rebuilt; ask again");
    }
    if (view->runner().served_rows() != nullptr) {
      snapshot = view->runner().served_rows()->root();
      position = snapshot->position();
    }
  }
  for (uint32_t p = 0; p < stream.definition.partitions; ++p) {
    const PartitionInfo info = platform_.transport().Describe(stream.id, PartitionId(p));
    if (position.size() <= p) {
      // Without a place to start from: what comes from now on, or everything that is retained.
      position.push_back(request.with_snapshot ? info.begin : info.durable_end);
    }
    if (position[p] > info.durable_end) {
      return Err(ErrorCode::kHttpBadRequest,
                 fmt::format("position {} is behind the end of the stream", request.from));
    }
  }
  auto feed = std::make_shared<ChangeFeed>(platform_.transport(), std::move(stream),
                                           std::move(position), std::move(snapshot), metrics_);
  if (is_rebuilt) {
    feed->AnnounceRebuilt();
  } else if (request.from.empty() && !request.with_snapshot) {
    feed->AnnouncePosition();
  }
  return feed;
}

void PlatformFeeds::Loop() {
  while (true) {
    std::vector<std::shared_ptr<ChangeFeed>> feeds;
    bool replaced = false;
    {
      MutexLock lock(signal_->mutex);
      while (!signal_->woken && !signal_->stopping) {
        signal_->wakeup.Wait(signal_->mutex);
      }
      if (signal_->stopping) {
        return;
      }
      signal_->woken = false;
      replaced = std::exchange(signal_->replaced, false);
      std::erase_if(signal_->feeds, [&](const std::weak_ptr<ChangeFeed>& weak) {
        auto feed = weak.lock();
        const bool gone = feed == nullptr;
        if (!gone) {
          feeds.push_back(std::move(feed));
        }
        return gone;
      });
    }
    bool more = false;
    for (const auto& feed : feeds) {
      more = feed->Fill() || more;
      if (replaced) {
        feed->EndIfReplaced();
      }
    }
    if (more) {
      signal_->Wake();
    }
  }
}

}  // namespace millrace
