#include "millrace/app/platform_status.h"

#include <fmt/format.h>

namespace millrace {

namespace {

/// One family of the Prometheus text format, a sample per view.
void AppendViewMetric(Platform& platform, std::string_view name, std::string_view type,
                      std::string_view help, double (*value)(const PipelineStats&),
                      std::string& out) {
  fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  for (const auto& [view, running] : platform.views()) {
    fmt::format_to(std::back_inserter(out), "{}{{view=\"{}\"}} {}\n", name, view,
                   value(running.runner().stats()));
  }
}

}  // namespace

serve::HealthReport PlatformStatus::Health() {
  bool healthy = !platform_.transport().disk_full();
  std::string views;
  for (const auto& [name, view] : platform_.views()) {
    const bool failed = view.thread->failure().has_value();
    healthy = healthy && !failed;
    fmt::format_to(std::back_inserter(views), "{}\"{}\":\"{}\"", views.empty() ? "" : ",", name,
                   failed ? "failed" : "running");
  }
  return {
      .is_healthy = healthy,
      .json = fmt::format("{{\"status\":\"{}\",\"disk_full\":{},\"views\":{{{}}}}}",
                          healthy ? "ok" : "degraded", platform_.transport().disk_full(), views)};
}

Status PlatformStatus::Ready() {
  if (platform_.transport().disk_full()) {
    return Err(ErrorCode::kDiskFull, "the data directory's disk is full");
  }
  return {};
}

std::string PlatformStatus::Metrics() {
  std::string out = http_->Render();
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       double (*value)(const PipelineStats&)) {
    AppendViewMetric(platform_, name, type, help, value, out);
  };
  add("millrace_view_epochs_total", "counter", "Epochs committed or in flight.",
      [](const PipelineStats& s) { return static_cast<double>(s.epochs); });
  add("millrace_view_rows_in_total", "counter", "Rows read from the source stream.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_in); });
  add("millrace_view_rows_accepted_total", "counter", "Rows that took part in the result.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_accepted); });
  add("millrace_view_rows_filtered_total", "counter", "Rows that WHERE left out.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_filtered); });
  add("millrace_view_rows_late_total", "counter", "Rows behind their window's grace.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_late); });
  add("millrace_view_rows_failed_total", "counter", "Rows on which an expression failed.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_failed); });
  add("millrace_view_rows_out_total", "counter", "Changes written to the view's stream.",
      [](const PipelineStats& s) { return static_cast<double>(s.rows_out); });
  add("millrace_view_state_keys", "gauge", "Groups in state.",
      [](const PipelineStats& s) { return static_cast<double>(s.state_keys); });
  add("millrace_view_state_bytes", "gauge", "Memory of the state in bytes.",
      [](const PipelineStats& s) { return static_cast<double>(s.state_bytes); });
  return out;
}

}  // namespace millrace
