#include "millrace/connect/source_thread.h"

#include <utility>

namespace millrace {

SourceThread::~SourceThread() {
  Stop();
  // Its last callbacks wake this object.
  source_.reset();
}

void SourceThread::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  wakeup_.NotifyOne();
}

void SourceThread::Start(std::string name, std::unique_ptr<Source> source) {
  source_ = std::move(source);
  thread_ = Thread(std::move(name), [this] { Loop(); });
}

void SourceThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyOne();
  }
  thread_.Join();
}

SourceStatus SourceThread::status() {
  SourceStatus status = source_->status();
  MutexLock lock(mutex_);
  if (failure_) {
    status.state = SourceStatus::State::kFailed;
    status.error = failure_;
  }
  return status;
}

void SourceThread::Loop() {
  while (true) {
    const auto next = source_->Step();
    MutexLock lock(mutex_);
    if (!next) {
      failure_ = next.error();
      return;
    }
    if (*next == Source::kUntilWoken) {
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
