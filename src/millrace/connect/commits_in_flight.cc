#include "millrace/connect/commits_in_flight.h"

#include <utility>

namespace millrace {

CommitsInFlight::~CommitsInFlight() {
  MutexLock lock(mutex_);
  while (count_ > 0) {
    all_decided_.Wait(mutex_);
  }
}

CommitCallback CommitsInFlight::Begin() {
  {
    MutexLock lock(mutex_);
    ++count_;
  }
  return [this](const CommitResult& result) {
    MutexLock lock(mutex_);
    if (result.outcome == CommitOutcome::kAborted) {
      aborted_ = true;
    } else if (result.outcome != CommitOutcome::kCommitted) {
      lost_ = result.error;
    }
    --count_;
    wake_();
    if (count_ == 0) {
      all_decided_.NotifyAll();
    }
  };
}

void CommitsInFlight::Cancel() {
  MutexLock lock(mutex_);
  --count_;
}

Result<CommitsInFlight::Next> CommitsInFlight::Check(int count_max) {
  MutexLock lock(mutex_);
  if (lost_) {
    return Err(*lost_);
  }
  if (aborted_) {
    if (count_ > 0) {
      return Next::kWait;
    }
    aborted_ = false;
    return Next::kRewind;
  }
  return count_ >= count_max ? Next::kWait : Next::kGo;
}

}  // namespace millrace
