#include <fmt/format.h>

#include "millrace/cli/listing.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

std::vector<boost::json::object> PartitionsOf(const boost::json::object& stream) {
  std::vector<boost::json::object> objects;
  const auto* partitions = stream.if_contains("partitions");
  if (partitions != nullptr && partitions->is_array()) {
    for (const auto& partition : partitions->get_array()) {
      objects.push_back(partition.is_object() ? partition.get_object() : boost::json::object());
    }
  }
  return objects;
}

std::vector<std::string> Cells(const boost::json::object& stream) {
  const auto partitions = PartitionsOf(stream);
  std::string newest = "-";  // Before all times: ISO 8601 sorts as text.
  double bytes = 0;
  for (const auto& partition : partitions) {
    newest = std::max(newest, TextOf(partition, "max_event_time"));
    bytes += NumberOf(partition, "bytes");
  }
  return {TextOf(stream, "name"),
          TextOf(stream, "kind"),
          fmt::format("{}", partitions.size()),
          fmt::format("{:.0f}", NumberOf(stream, "offsets")),
          ShortBytes(bytes),
          ShortCount(NumberOf(stream, "records_per_second")),
          fmt::format("{:.0f}", NumberOf(stream, "errors")),
          newest};
}

std::string DescribeStream(const boost::json::object& stream) {
  std::string text = fmt::format(
      "stream {}\nkind: {}\noffsets: {:.0f}\nrecords per second: {:.1f}\nerror rows: {:.0f}\n",
      TextOf(stream, "name"), TextOf(stream, "kind"), NumberOf(stream, "offsets"),
      NumberOf(stream, "records_per_second"), NumberOf(stream, "errors"));
  text += DescribeColumns(stream);
  text += "partitions:\n";
  TextTable table({"  NR", "BEGIN", "END", "BYTES", "NEWEST EVENT"});
  const auto partitions = PartitionsOf(stream);
  for (size_t i = 0; i < partitions.size(); ++i) {
    table.Add({fmt::format("{}", i), TextOf(partitions[i], "begin"), TextOf(partitions[i], "end"),
               ShortBytes(NumberOf(partitions[i], "bytes")),
               TextOf(partitions[i], "max_event_time")});
  }
  return text + table.ToString();
}

}  // namespace

void AddStreamsCommand(CLI::App& app, ChosenCommand& chosen) {
  AddListing(app,
             {.command = "streams",
              .help = "List the streams of a running server, or describe one",
              .footer = "Examples:\n"
                        "  millrace streams\n"
                        "  millrace streams clicks\n"
                        "  millrace streams --all --format json | jq .[].name\n",
              .header = {"NAME", "KIND", "PARTITIONS", "OFFSETS", "BYTES", "PER SECOND", "ERRORS",
                         "NEWEST EVENT"},
              .cells = Cells,
              .is_shown =
                  [](const boost::json::object& stream) {
                    const std::string kind = TextOf(stream, "kind");
                    return kind != "internal" && kind != "state" && kind != "rows" &&
                           kind != "project" && !TextOf(stream, "name").starts_with("next$");
                  },
              .describe = DescribeStream},
             chosen);
}

}  // namespace millrace
