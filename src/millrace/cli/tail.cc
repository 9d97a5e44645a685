#include <algorithm>
#include <chrono>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/cli/command_line.h"
#include "millrace/cli/event_reader.h"
#include "millrace/cli/listing.h"
#include "millrace/cli/reconnect_schedule.h"
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
  uint32_t retry_for_s = 60;
};

/// Whether the server has a view of this name; everything else is a stream.
Result<bool> IsView(HttpClient& client, const std::string& name) {
  MR_ASSIGN(const auto views, ReadList(client, "views"));
  return std::ranges::any_of(
      views, [&](const auto& view) { return TextOf(view.get_object(), "name") == name; });
}

void WaitFor(std::chrono::nanoseconds time) {
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.WaitFor(mutex, time);
}

/// Prints what one event stream says, over as many connections as it takes.
class Tail {
 public:
  explicit Tail(const TailOptions& options)
      : options_(options),
        client_(options.server.Take()),
        schedule_(clock_, std::chrono::seconds(options.retry_for_s)) {}

  Status Run() {
    MR_ASSIGN(const bool is_view, IsView(client_, options_.name));
    std::string path = fmt::format("/api/v1/{}/{}/changes", is_view ? "views" : "streams",
                                   EncodePathSegment(options_.name));
    if (options_.with_snapshot) {
      path += "?snapshot=true";
    } else if (!options_.from.empty()) {
      path += "?from=" + EncodePathSegment(options_.from);
    }
    while (true) {
      const Status read = ReadUntilEnd(path);
      if (read || !WaitToTryAgain(read.error())) {
        return read || position_.empty()
                   ? read
                   : Err(read.error().WithHint("go on with --from " + position_));
      }
    }
  }

 private:
  /// One connection. The position is in the header, before `from` and `snapshot` of the path.
  Status ReadUntilEnd(const std::string& path) {
    reader_ = EventReader();
    if (position_.empty() && printed_ > 0) {
      terminal::Note("the rows come again from the first: the connection ended among them");
    }
    return client_.Stream(path, position_, [this](std::string_view bytes) { return Take(bytes); });
  }

  /// Whether to try again now.
  bool WaitToTryAgain(const Error& error) {
    if (error.retry() != Retry::kBackoff) {
      return false;
    }
    const bool is_first = !schedule_.is_away();
    const auto delay = schedule_.NextDelay();
    if (!delay) {
      return false;
    }
    if (is_first) {
      terminal::Note(fmt::format("{}; trying to reach it again for {} s", error.message(),
                                 options_.retry_for_s));
    }
    WaitFor(*delay);
    return true;
  }

  /// False when enough was printed.
  bool Take(std::string_view bytes) {
    if (schedule_.is_away()) {
      terminal::Note(position_.empty() ? "connected again"
                                       : "connected again, from position " + position_);
      schedule_.Answered();
    }
    reader_.Add(bytes);
    ServerEvent event;
    while (reader_.Next(event)) {
      if (!event.id.empty()) {
        position_ = event.id;
      }
      if (event.type == "change" || event.type == "snapshot") {
        terminal::Result(event.data);
        ++printed_;
      } else if (event.type == "gap") {
        terminal::Note("a part of the stream is no longer retained: " + event.data);
      } else if (event.type == "rebuilt") {
        terminal::Note(
            "the view was built anew: what was printed no longer holds, and all changes of the new "
            "one follow");
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
  const SystemClock clock_;
  HttpClient client_;
  ReconnectSchedule schedule_;
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
  tail->add_option("--retry-for", options->retry_for_s,
                   "Seconds to go on trying when the server goes away, 0 = end then")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  options->server.AddTo(*tail);
  tail->footer(
      "Prints one JSON object per change, {\"weight\": 1, \"row\": {...}}: weight -1 takes a row\n"
      "away. Without --from and --snapshot it begins with what comes next. When the server goes\n"
      "away it says so on standard error, and goes on where it was once the server is back.\n\n"
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
