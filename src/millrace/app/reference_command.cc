#include "millrace/app/reference_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/configuration.h"
#include "millrace/app/platform_figures.h"
#include "millrace/app/query_metrics.h"
#include "millrace/app/retention.h"
#include "millrace/base/error.h"
#include "millrace/base/metrics.h"
#include "millrace/base/process_metrics.h"
#include "millrace/cli/command_line.h"
#include "millrace/cli/terminal.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/idempotency_metrics.h"
#include "millrace/connect/ingest_metrics.h"
#include "millrace/connect/sink_options.h"
#include "millrace/engine/pipeline_metrics.h"
#include "millrace/plan/definition_options.h"
#include "millrace/serve/http_metrics.h"
#include "millrace/stream/embedded/embedded_metrics.h"

namespace millrace {

namespace {

constexpr std::string_view kGenerated =
    "<!-- Generated from the code by tools/check_docs.py --write. Do not edit. -->\n";

std::string ConfigurationPage() {
  std::string page(kGenerated);
  page +=
      "# Configuration\n\n"
      "A project directory holds `millrace.yaml`, which may be missing, and `*.sql`. An option is\n"
      "taken from the first of these that sets it: flags (`--listen`, `--set http.listen=...`),\n"
      "the environment (`MILLRACE__HTTP__LISTEN`), `millrace.yaml`, its default. `millrace config\n"
      "print` shows every value and where it came from.\n\n"
      "Without a directory on the command line the variable `CONFIG_PATH` names the file, and its\n"
      "option `project_dir` the SQL. Relative paths in the file are relative to the file.\n\n"
      "Bytes are written as `64 MiB`, `1 GB` or `4096`, durations as `5 s`, `100 ms` or\n"
      "`1 hour 30 min`. Lists are YAML lists, or values separated by commas.\n";
  for (const OptionSection& section : ConfigurationSections()) {
    page += fmt::format("\n## {}\n\n", section.title);
    AppendOptionReference(page, *section.table);
  }
  page += "\n# Options of SQL definitions\n\n## CREATE TABLE ... WITH\n\n";
  AppendOptionReference(page, TableOptionTable());
  for (const Connector& connector : AllConnectors()) {
    page += fmt::format("\n### connector = '{}'\n\n{}\n", connector.name, connector.help);
    if (connector.open == nullptr && connector.make_sink != nullptr) {
      page += "\nIt can only be filled by INSERT INTO.\n";
    }
    for (const OptionTableBase* table : connector.option_tables) {
      page += "\n";
      AppendOptionReference(page, *table);
    }
    if (connector.column_options != nullptr) {
      page += "\nOptions of a column, written `column.option`:\n\n";
      AppendOptionReference(page, *connector.column_options);
    }
    if (!connector.sink_option_tables.empty()) {
      page += "\nOf a table that INSERT INTO fills, instead:\n";
    }
    for (const OptionTableBase* table : connector.sink_option_tables) {
      page += "\n";
      AppendOptionReference(page, *table);
    }
  }
  page += "\n### Every table that INSERT INTO fills\n\n";
  AppendOptionReference(page, SinkOptionTable());
  page += "\n## CREATE MATERIALIZED VIEW ... WITH\n\n";
  AppendOptionReference(page, ViewOptionTable());
  return page;
}

std::string_view RetryText(Retry retry) {
  switch (retry) {
    case Retry::kNever:
      return "no";
    case Retry::kBackoff:
      return "later";
    case Retry::kAbort:
      return "after a rollback";
    case Retry::kFatal:
      return "after a restart";
  }
  return "";
}

std::string ErrorsPage() {
  std::string page(kGenerated);
  page +=
      "# Error codes\n\n"
      "Codes are stable. They stand in messages (`MR4001`), in answers of the API (`code`), in "
      "the\n"
      "log (`error.code`) and in rows of `errors$` streams.\n\n"
      "| code | name | meaning | worth trying again |\n|---|---|---|---|\n";
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    page += fmt::format("| MR{} | {} | {} | {} |\n", static_cast<int>(info.code), info.name,
                        info.meaning, RetryText(info.retry));
  }
  return page;
}

std::string_view KindText(MetricFamilyInfo::Kind kind) {
  switch (kind) {
    case MetricFamilyInfo::Kind::kCounter:
      return "counter";
    case MetricFamilyInfo::Kind::kGauge:
      return "gauge";
    case MetricFamilyInfo::Kind::kHistogram:
      return "histogram";
  }
  return "";
}

std::string MetricsPage() {
  MetricsRegistry registry;
  const EmbeddedMetrics stream(registry);
  const IngestMetrics ingest(registry, "");
  const IdempotencyMetrics idempotency(registry);
  const PipelineMetrics pipeline(registry, "");
  const QueryMetrics queries(registry);
  const ReplayMetrics replays(registry);
  const SqlMetrics sql(registry);
  const SinkMetrics sinks(registry, "");
  const RetentionMetrics retention(registry, "", true);
  const FeedMetrics feeds(registry);
  std::vector<MetricFamilyInfo> families = registry.Families();
  for (const auto& more :
       {PlatformFigures::Families(), serve::HttpMetrics::Families(), ProcessMetrics::Families()}) {
    families.insert(families.end(), more.begin(), more.end());
  }
  std::ranges::sort(families, {}, [](const auto& family) { return family.spec.name; });
  std::string page(kGenerated);
  page +=
      "# Metrics\n\n"
      "`GET /api/v1/metrics` (and `/metrics`) answers in the text format of Prometheus. Metrics "
      "of\n"
      "tables have the label `table`, of views `view`, of HTTP requests `method`, `route` and\n"
      "`status`.\n\n"
      "| metric | kind | unit | meaning |\n|---|---|---|---|\n";
  for (const MetricFamilyInfo& family : families) {
    page += fmt::format("| `{}` | {} | {} | {} |\n", family.spec.name, KindText(family.kind),
                        family.spec.unit, family.spec.help);
  }
  return page;
}

std::string CommandPage() {
  std::string page(kGenerated);
  page += "# Command line\n\nExit statuses: 0, 1 for a failure, 2 for a wrong command line.\n";
  AppendCommandReference(page);
  return page;
}

}  // namespace

int PrintReference(const std::string& page) {
  if (page == "configuration") {
    terminal::Text(ConfigurationPage());
  } else if (page == "errors") {
    terminal::Text(ErrorsPage());
  } else if (page == "metrics") {
    terminal::Text(MetricsPage());
  } else if (page == "cli") {
    terminal::Text(CommandPage());
  }
  return 0;
}

}  // namespace millrace
