#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "millrace/cli/command_line.h"
#include "millrace/cli/listing.h"
#include "millrace/cli/server_flags.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"

namespace millrace {

namespace {

struct ReplayFlags {
  ServerFlags server;
  std::string table;
};

int RunReplay(const ReplayFlags& flags) {
  HttpClient client(flags.server.Take());
  const auto answer = client.PostJson(
      fmt::format("/api/v1/streams/{}/replay", EncodePathSegment(flags.table)), "{}");
  if (!answer) {
    terminal::Note(answer.error().ToString());
    return kExitFailure;
  }
  boost::system::error_code failed;
  const auto json = boost::json::parse(*answer, failed);
  if (failed || !json.is_object()) {
    terminal::Note("the server's answer is not a JSON object");
    return kExitFailure;
  }
  const boost::json::object& counts = json.get_object();
  std::string text = fmt::format("{}: {:.0f} accepted, {:.0f} refused again", flags.table,
                                 NumberOf(counts, "accepted"), NumberOf(counts, "rejected"));
  if (const double skipped = NumberOf(counts, "skipped"); skipped > 0) {
    text += fmt::format(", {:.0f} not there whole", skipped);
  }
  terminal::Text(text + "\n");
  terminal::Flush();
  return 0;
}

}  // namespace

void AddReplayCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* replay =
      app.add_subcommand("replay", "Feed the records that a table has refused back into it");
  const auto flags = std::make_shared<ReplayFlags>();
  replay->add_option("TABLE", flags->table, "The table")->required();
  flags->server.AddTo(*replay);
  replay->footer(
      "Run it once the table is repaired: its options, a generated column, a NOT NULL. Each "
      "record in errors$TABLE is decoded again, once; what is refused again is in errors$TABLE "
      "again, for the next replay.\n\n"
      "Examples:\n"
      "  millrace tail 'errors$clicks'\n"
      "  millrace replay clicks\n");
  replay->callback([flags, &chosen] { chosen = [flags] { return RunReplay(*flags); }; });
}

}  // namespace millrace
