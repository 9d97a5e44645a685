#include "millrace/app/position_waits.h"

#include <algorithm>
#include <utility>

#include "millrace/app/view_positions.h"

namespace millrace {

namespace {

constexpr size_t kWaitingMax = 1024;
constexpr std::chrono::milliseconds kDeadlineCheck{50};

Status Stopping() { return Err(ErrorCode::kUnavailable, "the server is stopping"); }

}  // namespace

PositionWaits::PositionWaits(Platform& platform)
    : platform_(platform), frontier_(FrontierOf(platform)) {
  thread_ = Thread("mr-query-wait", [this] { Loop(); });
  platform_.SetCommitListener([this] {
    MutexLock lock(mutex_);
    committed_ = true;
    if (!waiting_.empty()) {
      wakeup_.NotifyOne();
    }
  });
}

PositionWaits::~PositionWaits() { Stop(); }

void PositionWaits::Stop() {
  platform_.SetCommitListener({});
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyOne();
  }
  thread_.Join();
}

void PositionWaits::Add(PositionWait wait, std::shared_ptr<const ServedViews> views,
                        std::chrono::nanoseconds deadline, Done done) {
  if (wait.Reached(frontier_)) {
    return done({});
  }
  Status refused;
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      refused = Stopping();
    } else if (waiting_.size() >= kWaitingMax) {
      refused = Err(ErrorCode::kUnavailable, "too many queries are waiting");
    } else {
      waiting_.push_back({std::move(wait), std::move(views), deadline, std::move(done)});
      committed_ = true;  // It may have been reached since the look at it.
      wakeup_.NotifyOne();
      return;
    }
  }
  done(std::move(refused));
}

void PositionWaits::Loop() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!committed_ && !stopping_) {
        wakeup_.WaitFor(mutex_, waiting_.empty() ? std::chrono::hours(1)
                                                 : std::chrono::nanoseconds(kDeadlineCheck));
      }
      if (stopping_) {
        break;
      }
      committed_ = false;
    }
    Look();
  }
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const Waiting& item : waiting) {
    item.done(Stopping());
  }
}

void PositionWaits::Look() {
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  std::vector<Waiting> still;
  const auto views = platform_.views();
  for (Waiting& item : waiting) {
    const bool is_renewed = std::exchange(item.views, views) != views;
    if (const Status renewed = is_renewed ? item.wait.Renew(frontier_) : Status(); !renewed) {
      item.done(renewed);
    } else if (item.wait.Reached(frontier_)) {
      item.done({});
    } else if (platform_.clock().Monotonic() >= item.deadline) {
      item.done(Err(ErrorCode::kPositionNotReached, "the position was not reached in time"));
    } else {
      still.push_back(std::move(item));
    }
  }
  MutexLock lock(mutex_);
  std::ranges::move(still, std::back_inserter(waiting_));
}

}  // namespace millrace
