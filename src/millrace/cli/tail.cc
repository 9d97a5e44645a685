#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/cli/command_line.h"
#include "millrace/cli/event_reader.h"
#include "millrace/cli/listing.h"
#include "millrace/cli/server_flags.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"

namespace millrace {

namespace {

struct TailOptions {
  ServerFlags server;
  std::string name;
  std::string from;
  bool with_snapshot = false;
  uint64_t limit = 0;  // 0 = none.
};

/// Whether the server has a view of this name; everything else is a stream.
Result<bool> IsView(HttpClient& client, const std::string& name) {
  MR_ASSIGN(const auto views, ReadList(client, "views"));
  return std::ranges::any_of(
      views, [&](const auto& view) { return TextOf(view.get_object(), "name") == name; });
}

class Tail {
 public:
  explicit Tail(const TailOptions& options) : options_(options) {}

  Status Run() {
    HttpClient client(options_.server.Take());
    MR_ASSIGN(const bool is_view, IsView(client, options_.name));
    std::string path = fmt::format("/api/v1/{}/{}/changes", is_view ? "views" : "streams",
                                   EncodePathSegment(options_.name));
    if (options_.with_snapshot) {
      path += "?snapshot=true";
    } else if (!options_.from.empty()) {
      path += "?from=" + EncodePathSegment(options_.from);
    }
    const Status read = client.Stream(path, [this](std::string_view bytes) { return Take(bytes); });
    if (!read && !position_.empty()) {
      return Err(read.error().WithHint("go on with --from " + position_));
    }
    return read;
  }

 private:
  /// False when enough was printed.
  bool Take(std::string_view bytes) {
    reader_.Add(bytes);
    ServerEvent event;
    while (reader_.Next(event)) {
      position_ = event.id;
      if (event.type == "change" || event.type == "snapshot") {
        terminal::Result(event.data);
        ++printed_;
      } else if (event.type == "gap") {
        terminal::Note("a part of the stream is no longer retained: " + event.data);
      }
      if (options_.limit > 0 && printed_ >= options_.limit) {
        terminal::Flush();
        return false;
      }
    }
    terminal::Flush();
    return true;
  }

  const TailOptions& options_;
  EventReader reader_;
  std::string position_;
  uint64_t printed_ = 0;
};

}  // namespace

void AddTailCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* tail = app.add_subcommand("tail", "Follow the changes of a stream or view");
  const auto options = std::make_shared<TailOptions>();
  tail->add_option("NAME", options->name, "Stream or view")->required();
  CLI::Option* from = tail->add_option(
      "--from", options->from, "Position to begin at: the next offset of each partition, 0.0.0.0");
  tail->add_flag("--snapshot", options->with_snapshot, "First the rows of the view")
      ->excludes(from);
  tail->add_option("--limit", options->limit, "End after so many changes");
  options->server.AddTo(*tail);
  tail->footer(
      "Prints one JSON object per change, {\"weight\": 1, \"row\": {...}}: weight -1 takes a row\n"
      "away. Without --from and --snapshot it begins with what comes next.\n\n"
      "Examples:\n"
      "  millrace tail clicks_per_minute --snapshot\n"
      "  millrace tail 'errors$clicks' --from 0 --limit 10\n"
      "  millrace tail clicks | jq .row\n");
  tail->callback([options, &chosen] {
    chosen = [options] {
      const Status status = Tail(*options).Run();
      return status ? 0 : terminal::Fail(status.error());
    };
  });
}

}  // namespace millrace
