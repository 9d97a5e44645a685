#include "millrace/connect/source_thread.h"

#include <utility>

#include <fmt/format.h>

#include "millrace/connect/logger.h"

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

void SourceThread::Start(const std::string& name, std::unique_ptr<Source> source) {
  name_ = name;
  source_ = std::move(source);
  thread_ = Thread("mr-" + name, [this] { Loop(); });
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
      MR_LOG_ERROR(kConnectLog, kError, "source has failed; what it has committed stays",
                   next.error().WithContext(fmt::format("table {}", name_)));
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
