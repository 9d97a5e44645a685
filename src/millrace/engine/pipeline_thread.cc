#include "millrace/engine/pipeline_thread.h"

#include <utility>

#include "millrace/engine/logger.h"

namespace millrace {

PipelineThread::~PipelineThread() {
  Stop();
  // Its last callbacks wake this object.
  runner_.reset();
}

void PipelineThread::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  if (!resting_) {
    wakeup_.NotifyOne();
  }
}

void PipelineThread::Start(std::unique_ptr<PipelineRunner> runner) {
  runner_ = std::move(runner);
  Run();
}

void PipelineThread::Run() {
  thread_ = Thread("mr-" + runner_->plan().name, [this] { Loop(); });
}

void PipelineThread::Pause() {
  Stop();
  if (!failure()) {
    if (const Status settled = runner_->Settle(); !settled) {
      Fail(settled.error());
    }
  }
}

void PipelineThread::Resume() {
  {
    MutexLock lock(mutex_);
    if (failure_) {
      return;
    }
    stopping_ = false;
    woken_ = true;
  }
  Run();
}

void PipelineThread::Fail(const Error& error) {
  MR_LOG_ERROR(kEngineLog, kError, "view has failed; it stays as it was committed",
               error.WithContext(runner_->plan().name));
  MutexLock lock(mutex_);
  failure_ = error;
}

void PipelineThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyOne();
  }
  thread_.Join();
}

std::optional<Error> PipelineThread::failure() {
  MutexLock lock(mutex_);
  return failure_;
}

void PipelineThread::WaitForWork() {
  if (const auto until = runner_->next_step()) {
    resting_ = true;
    for (auto now = clock_.Monotonic(); now < *until && !stopping_; now = clock_.Monotonic()) {
      wakeup_.WaitFor(mutex_, *until - now);
    }
    resting_ = false;
    return;
  }
  while (!woken_ && !stopping_) {
    wakeup_.Wait(mutex_);
  }
}

void PipelineThread::Loop() {
  while (true) {
    auto progress = runner_->Step();
    if (!progress) {
      Fail(progress.error());
      return;
    }
    MutexLock lock(mutex_);
    if (*progress == PipelineRunner::Progress::kWaiting) {
      WaitForWork();
    }
    woken_ = false;
    if (stopping_) {
      return;
    }
  }
}

}  // namespace millrace
