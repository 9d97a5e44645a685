#include "millrace/connect/stepped_thread.h"

#include <utility>

namespace millrace {

void SteppedThread::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  wakeup_.NotifyOne();
}

void SteppedThread::Start(const std::string& name, Step step,
                          std::function<void(const Error&)> failed) {
  step_ = std::move(step);
  failed_ = std::move(failed);
  thread_ = Thread("mr-" + name, [this] { Loop(); });
}

void SteppedThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyOne();
  }
  thread_.Join();
}

std::optional<Error> SteppedThread::failure() {
  MutexLock lock(mutex_);
  return failure_;
}

void SteppedThread::Loop() {
  while (true) {
    const auto next = step_();
    if (!next) {
      failed_(next.error());
    }
    MutexLock lock(mutex_);
    if (!next) {
      failure_ = next.error();
      return;
    }
    if (*next == kUntilWoken) {
      while (!woken_ && !stopping_) {
        wakeup_.Wait(mutex_);
      }
    } else if (next->count() > 0 && !woken_ && !stopping_) {
      wakeup_.WaitFor(mutex_, *next);
    }
    woken_ = false;
    if (stopping_) {
      return;
    }
  }
}

}  // namespace millrace
