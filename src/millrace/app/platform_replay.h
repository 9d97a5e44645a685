#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "millrace/app/platform.h"
#include "millrace/app/query_metrics.h"
#include "millrace/base/bounded_queue.h"
#include "millrace/base/thread.h"
#include "millrace/serve/replay_service.h"

namespace millrace {

/// Feeds refused records back into their tables, one request after the other, on a thread of its
/// own.
class PlatformReplay final : public serve::ReplayService {
 public:
  /// `platform` outlives it.
  PlatformReplay(Platform& platform, ReplayMetrics metrics);
  /// Gives up the replay that runs, at its next commit, and those that wait.
  ~PlatformReplay() override;

  void Replay(std::string stream, Done done) override;

 private:
  static constexpr size_t kWaitingMax = 16;

  struct Job {
    StreamIngestor* ingestor = nullptr;
    Done done;
  };
  Result<std::string> Run(StreamIngestor& ingestor);
  void Answer(const Job& job, Result<std::string> answer);

  Platform& platform_;
  const ReplayMetrics metrics_;
  std::atomic<bool> ended_{false};
  BoundedQueue<Job> queue_{kWaitingMax};
  Thread thread_;
};

}  // namespace millrace
