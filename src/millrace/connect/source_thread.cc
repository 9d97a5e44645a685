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

void SourceThread::Start(const std::string& name, std::unique_ptr<Source> source) {
  source_ = std::move(source);
  thread_.Start(
      name, [this] { return source_->Step(); },
      [name](const Error& error) {
        MR_LOG_ERROR(kConnectLog, kError, "source has failed; what it has committed stays",
                     error.WithContext(fmt::format("table {}", name)));
      });
}

SourceStatus SourceThread::status() {
  SourceStatus status = source_->status();
  if (const auto failure = thread_.failure()) {
    status.state = SourceStatus::State::kFailed;
    status.error = failure;
  }
  return status;
}

}  // namespace millrace
