#pragma once

#include <string>

#include "millrace/app/platform.h"
#include "millrace/app/platform_figures.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {

/// "12.3 k/s in; behind: clicks_per_minute 0" for the last line of a terminal.
std::string ProgressText(Platform& platform, const PlatformFigures& figures);

/// Keeps that line up to date, once a second, until its end, when the line goes. Only for a
/// terminal (terminal::IsLive), together with LogOptions::shares_line.
class ProgressLine {
 public:
  /// Both outlive it.
  ProgressLine(Platform& platform, const PlatformFigures& figures);
  ~ProgressLine();

 private:
  void Loop() MR_EXCLUDES(mutex_);

  Platform& platform_;
  const PlatformFigures& figures_;
  Mutex mutex_;
  CondVar wakeup_;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace millrace
