#include <fmt/format.h>

#include "millrace/cli/listing.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

double RowsOf(const boost::json::object& view, std::string_view what) {
  const auto* rows = view.if_contains("rows");
  return rows != nullptr && rows->is_object() ? NumberOf(rows->get_object(), what) : 0;
}

/// How far the form of the view is that is to replace it; empty when there is none.
std::string RebuildOf(const boost::json::object& view) {
  const auto* rebuild = view.if_contains("rebuild");
  if (rebuild == nullptr || !rebuild->is_object()) {
    return "";
  }
  const boost::json::object& next = rebuild->get_object();
  if (const std::string error = TextOf(next, "error"); error != "-") {
    return "failed: " + error;
  }
  constexpr double kPercent = 100;
  return fmt::format("{:.0f} %", kPercent * NumberOf(next, "progress"));
}

std::string StateOf(const boost::json::object& view) {
  const std::string rebuild = RebuildOf(view);
  const std::string state = TextOf(view, "state");
  return rebuild.empty()
             ? state
             : fmt::format("{}, rebuild {}", state, rebuild.substr(0, rebuild.find(':')));
}

std::vector<std::string> Cells(const boost::json::object& view) {
  return {TextOf(view, "name"),
          StateOf(view),
          fmt::format("{:.0f}", NumberOf(view, "served_rows")),
          ShortCount(NumberOf(view, "rows_per_second")),
          fmt::format("{:.0f}", NumberOf(view, "lag")),
          ShortBytes(NumberOf(view, "state_bytes")),
          fmt::format("{:.0f}", RowsOf(view, "late")),
          fmt::format("{:.0f}", RowsOf(view, "failed")),
          TextOf(view, "watermark")};
}

std::string DescribeView(const boost::json::object& view) {
  std::string text =
      fmt::format("view {}\nstate: {}\n", TextOf(view, "name"), TextOf(view, "state"));
  if (TextOf(view, "error") != "-") {
    text += fmt::format("error: {}\n", TextOf(view, "error"));
  }
  if (const std::string rebuild = RebuildOf(view); !rebuild.empty()) {
    text += fmt::format("rebuild: {}\n", rebuild);
  }
  text += fmt::format(
      "reads: {}\nemit: {}\nrows: {:.0f}\nwatermark: {}\nlag: {:.0f} rows\n"
      "rows per second: {:.1f}\nepochs: {:.0f}\nstate: {:.0f} keys, {}\n",
      TextOf(view, "source"), TextOf(view, "emit"), NumberOf(view, "served_rows"),
      TextOf(view, "watermark"), NumberOf(view, "lag"), NumberOf(view, "rows_per_second"),
      NumberOf(view, "epochs"), NumberOf(view, "state_keys"),
      ShortBytes(NumberOf(view, "state_bytes")));
  text += fmt::format(
      "since start: {:.0f} in = {:.0f} accepted + {:.0f} filtered + {:.0f} late + {:.0f} failed; "
      "{:.0f} out\n",
      RowsOf(view, "in"), RowsOf(view, "accepted"), RowsOf(view, "filtered"), RowsOf(view, "late"),
      RowsOf(view, "failed"), RowsOf(view, "out"));
  return text + DescribeColumns(view) + "sql:\n" + TextOf(view, "sql") + "\n";
}

}  // namespace

void AddViewsCommand(CLI::App& app, ChosenCommand& chosen) {
  AddListing(app,
             {.command = "views",
              .help = "List the views of a running server, or describe one",
              .footer = "LAG counts the source's durable records that the view has not taken in "
                        "yet. A view whose query has changed serves as it was until its new form "
                        "is built: STATE says how far that is.\n\n"
                        "Examples:\n"
                        "  millrace views\n"
                        "  millrace views clicks_per_minute\n"
                        "  millrace views --format json\n",
              .header = {"NAME", "STATE", "ROWS", "PER SECOND", "LAG", "STATE SIZE", "LATE",
                         "FAILED", "WATERMARK"},
              .cells = Cells,
              .is_shown = {},
              .describe = DescribeView},
             chosen);
}

}  // namespace millrace
