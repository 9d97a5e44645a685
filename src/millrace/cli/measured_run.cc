#include "millrace/cli/measured_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/cli/listing.h"
#include "millrace/cli/metrics_text.h"

namespace millrace {

namespace {

constexpr int kLookMs = 10;
constexpr int kLooksPerProgress = 10;

Result<boost::json::object> FindView(HttpClient& client, const std::string& view) {
  MR_ASSIGN(auto views, ReadList(client, "views"));
  for (auto& item : views) {
    if (TextOf(item.get_object(), "name") == view) {
      return std::move(item.get_object());
    }
  }
  return Err(ErrorCode::kSqlUnknownRelation, fmt::format("there is no view {}", view));
}

/// kPipelineFailed when a source or view has failed: the run would never end.
Status CheckHealth(HttpClient& client) {
  MR_ASSIGN(const std::string health, client.Get("/api/v1/health"));
  return health.contains("\"failed\"") ? Err(ErrorCode::kPipelineFailed, health) : Status();
}

}  // namespace

Result<RunCost> MeasureToTheEnd(TemporaryServer& server, HttpClient& client,
                                const std::string& view, const Clock& clock,
                                const std::function<void(double rows_in)>& on_progress) {
  RunCost cost;
  for (int look = 0;; ++look) {
    MR_ASSIGN(const boost::json::object object, FindView(client, view));
    cost.state_bytes = std::max(cost.state_bytes, NumberOf(object, "state_bytes"));
    if (TextOf(object, "state") == "finished") {
      break;
    }
    if (look % kLooksPerProgress == 0) {
      MR_TRY(CheckHealth(client));
      const auto* rows = object.if_contains("rows");
      on_progress(rows != nullptr && rows->is_object() ? NumberOf(rows->get_object(), "in") : 0);
    }
    MR_TRY(server.Wait(kLookMs));
  }
  cost.seconds = std::chrono::duration<double>(clock.Monotonic() - server.started()).count();
  MR_ASSIGN(const std::string metrics, client.Get("/api/v1/metrics"));
  cost.records_in = SumOf(metrics, "millrace_ingest_accepted_records_total") +
                    SumOf(metrics, "millrace_ingest_refused_records_total");
  cost.cpu_seconds = MetricOf(metrics, "millrace_process_cpu_seconds_total");
  cost.peak_resident_bytes = MetricOf(metrics, "millrace_process_peak_resident_memory_bytes");
  const std::string labels = fmt::format("view=\"{}\"", view);
  constexpr std::string_view kCommit = "millrace_view_commit_seconds";
  cost.commit_p50_seconds = QuantileOf(metrics, kCommit, labels, 0.5);
  cost.commit_p99_seconds = QuantileOf(metrics, kCommit, labels, 0.99);
  return cost;
}

}  // namespace millrace
