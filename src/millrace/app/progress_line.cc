#include "millrace/app/progress_line.h"

#include <fmt/format.h>

#include "millrace/cli/terminal.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

constexpr std::chrono::seconds kPeriod{1};

}  // namespace

std::string ProgressText(Platform& platform, const PlatformFigures& figures) {
  std::string text = fmt::format("{}/s in", ShortCount(figures.RecordsPerSecond()));
  if (platform.transport().disk_full()) {
    text += "; the disk is full";
  }
  std::string views;
  const auto served = platform.views();
  for (const auto& [name, view] : served->views) {
    const std::string lag =
        view->failure() ? "failed" : ShortCount(static_cast<double>(figures.Of(*view).lag_rows));
    views += fmt::format("{}{} {}", views.empty() ? "; behind: " : ", ", name, lag);
    if (const auto next = served->next.find(name); next != served->next.end()) {
      views += fmt::format(" (rebuilt to {:.0f} %)", 100 * next->second->Progress());
    }
  }
  return text + views;
}

ProgressLine::ProgressLine(Platform& platform, const PlatformFigures& figures)
    : platform_(platform), figures_(figures) {
  thread_ = Thread("mr-progress", [this] { Loop(); });
}

ProgressLine::~ProgressLine() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyAll();
  }
  thread_.Join();
  terminal::Progress("");
}

void ProgressLine::Loop() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) {
        wakeup_.WaitFor(mutex_, kPeriod);
      }
      if (stopping_) {
        return;
      }
    }
    terminal::Progress(ProgressText(platform_, figures_));
  }
}

}  // namespace millrace
