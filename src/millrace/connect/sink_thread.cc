#include "millrace/connect/sink_thread.h"

#include <utility>

#include <fmt/format.h>

#include "millrace/connect/logger.h"

namespace millrace {

SinkThread::~SinkThread() {
  Stop();
  // Its last callbacks wake this object.
  runner_.reset();
}

void SinkThread::Start(const std::string& name, std::unique_ptr<SinkRunner> runner) {
  runner_ = std::move(runner);
  thread_.Start(
      name, [this] { return runner_->Step(); },
      [name](const Error& error) {
        MR_LOG_ERROR(kConnectLog, kError, "sink has failed; what it has taken stays",
                     error.WithContext(fmt::format("table {}", name)));
      });
}

void SinkThread::Stop() {
  thread_.Stop();
  if (runner_ != nullptr && !std::exchange(stopped_, true) && !thread_.failure()) {
    runner_->Finish();
  }
}

SinkStatus SinkThread::status() {
  SinkStatus status = runner_->status();
  if (const auto failure = thread_.failure()) {
    status.state = SinkStatus::State::kFailed;
    status.error = failure;
  }
  return status;
}

}  // namespace millrace
