#include "millrace/app/platform_status.h"

#include <fmt/format.h>

namespace millrace {

serve::HealthReport PlatformStatus::Health() {
  bool healthy = !platform_.transport().disk_full();
  std::string full_tables;
  for (const auto& [name, ingestor] : platform_.ingestors()) {
    if (ingestor->is_full()) {
      healthy = false;
      fmt::format_to(std::back_inserter(full_tables), "{}\"{}\"", full_tables.empty() ? "" : ",",
                     name);
    }
  }
  std::string views;
  const auto served = platform_.views();
  for (const auto& [name, view] : served->views) {
    const auto next = served->next.find(name);
    const bool failed = view->failure().has_value();
    const bool rebuild_failed = next != served->next.end() && next->second->failure().has_value();
    healthy = healthy && !failed && !rebuild_failed;
    fmt::format_to(std::back_inserter(views), "{}\"{}\":\"{}\"", views.empty() ? "" : ",", name,
                   failed           ? "failed"
                   : rebuild_failed ? "rebuild failed"
                                    : "running");
  }
  std::string sources;
  for (const auto& [table, source] : platform_.sources()) {
    const SourceStatus status = source->status();
    healthy =
        healthy && status.state != SourceStatus::State::kFailed && status.splits_unavailable == 0;
    fmt::format_to(std::back_inserter(sources), "{}\"{}\":\"{}\"", sources.empty() ? "" : ",",
                   table, Name(status.state));
  }
  std::string sinks;
  for (const auto& [table, sink] : platform_.sinks()) {
    using State = SinkStatus::State;
    const bool waits = sink.thread == nullptr;
    const State state = waits ? State::kFailed : sink.thread->status().state;
    healthy = healthy && state != State::kFailed && state != State::kRetrying;
    fmt::format_to(std::back_inserter(sinks), "{}\"{}\":\"{}\"", sinks.empty() ? "" : ",", table,
                   waits ? "to be rebuilt" : Name(state));
  }
  return {.is_healthy = healthy,
          .json = fmt::format("{{\"status\":\"{}\",\"disk_full\":{},\"full_tables\":[{}],"
                              "\"views\":{{{}}},"
                              "\"sources\":{{{}}},\"sinks\":{{{}}}}}",
                              healthy ? "ok" : "degraded", platform_.transport().disk_full(),
                              full_tables, views, sources, sinks)};
}

Status PlatformStatus::Ready() {
  if (platform_.transport().disk_full()) {
    return Err(ErrorCode::kDiskFull, "the data directory's disk is full");
  }
  return {};
}

}  // namespace millrace
