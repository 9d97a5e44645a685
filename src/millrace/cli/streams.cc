#include <fmt/format.h>

#include "millrace/cli/listing.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

size_t PartitionsOf(const boost::json::object& stream) {
  const auto* partitions = stream.if_contains("partitions");
  return partitions != nullptr && partitions->is_array() ? partitions->get_array().size() : 0;
}

std::string MaxEventTime(const boost::json::object& stream) {
  std::string newest;
  const auto* partitions = stream.if_contains("partitions");
  if (partitions != nullptr && partitions->is_array()) {
    for (const auto& partition : partitions->get_array()) {
      const std::string time =
          partition.is_object() ? TextOf(partition.get_object(), "max_event_time") : "-";
      newest = time == "-" ? newest : std::max(newest, time);  // ISO 8601 sorts as text.
    }
  }
  return newest.empty() ? "-" : newest;
}

std::vector<std::string> Cells(const boost::json::object& stream) {
  return {TextOf(stream, "name"),
          TextOf(stream, "kind"),
          fmt::format("{}", PartitionsOf(stream)),
          fmt::format("{:.0f}", NumberOf(stream, "offsets")),
          ShortCount(NumberOf(stream, "records_per_second")),
          fmt::format("{:.0f}", NumberOf(stream, "errors")),
          MaxEventTime(stream)};
}

std::string DescribeStream(const boost::json::object& stream) {
  std::string text = fmt::format(
      "stream {}\nkind: {}\noffsets: {:.0f}\nrecords per second: {:.1f}\nerror rows: {:.0f}\n",
      TextOf(stream, "name"), TextOf(stream, "kind"), NumberOf(stream, "offsets"),
      NumberOf(stream, "records_per_second"), NumberOf(stream, "errors"));
  text += DescribeColumns(stream);
  text += "partitions:\n";
  TextTable table({"  NR", "BEGIN", "END", "NEWEST EVENT"});
  const auto* partitions = stream.if_contains("partitions");
  if (partitions != nullptr && partitions->is_array()) {
    for (size_t i = 0; i < partitions->get_array().size(); ++i) {
      if (const auto* partition = partitions->get_array()[i].if_object()) {
        table.Add({fmt::format("{}", i), TextOf(*partition, "begin"), TextOf(*partition, "end"),
                   TextOf(*partition, "max_event_time")});
      }
    }
  }
  return text + table.ToString();
}

}  // namespace

void AddStreamsCommand(CLI::App& app, ChosenCommand& chosen) {
  AddListing(
      app,
      {.command = "streams",
       .help = "List the streams of a running server, or describe one",
       .footer = "Examples:\n"
                 "  millrace streams\n"
                 "  millrace streams clicks\n"
                 "  millrace streams --all --format json | jq .[].name\n",
       .header = {"NAME", "KIND", "PARTITIONS", "OFFSETS", "PER SECOND", "ERRORS", "NEWEST EVENT"},
       .cells = Cells,
       .is_shown =
           [](const boost::json::object& stream) {
             const std::string kind = TextOf(stream, "kind");
             return kind != "internal" && kind != "state" && kind != "rows";
           },
       .describe = DescribeStream},
      chosen);
}

}  // namespace millrace
