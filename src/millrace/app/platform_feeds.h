#pragma once

#include <map>
#include <memory>
#include <vector>

#include "millrace/app/change_feed.h"
#include "millrace/app/platform.h"
#include "millrace/app/query_metrics.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/serve/change_feed_service.h"

namespace millrace {

/// The change feeds of all clients, filled by one thread as records become durable and as clients
/// take what they were given.
class PlatformFeeds final : public serve::ChangeFeedService {
 public:
  /// `platform` outlives it.
  PlatformFeeds(Platform& platform, FeedMetrics metrics);
  ~PlatformFeeds() override;

  void Open(serve::FeedRequest request, Done done) override;

 private:
  class Source;
  struct Signal;

  Result<std::shared_ptr<ChangeFeed>> MakeFeed(const serve::FeedRequest& request);
  Result<StreamInfo> FindStream(const serve::FeedRequest& request) const;
  void Loop();

  Platform& platform_;
  const FeedMetrics metrics_;
  /// Shared with sources, which may be destroyed after this object.
  std::shared_ptr<Signal> signal_;
  Mutex mutex_;
  std::map<StreamId, SubscriptionId> subscriptions_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
