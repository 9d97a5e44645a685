#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/clock.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"
#include "millrace/cli/text_table.h"
#include "millrace/connect/nexmark/nexmark_json.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

struct NexmarkFlags {
  std::string generate;
  NexmarkOptions events{.events = 1'000'000};
};

Status Generate(const NexmarkFlags& flags) {
  MR_TRY(ParseTimestamptz(flags.events.base_time));
  PosixFileSystem files;
  const SystemClock clock;
  const auto begun = clock.Monotonic();
  MR_TRY(nexmark::WriteJsonLines(flags.events, files, flags.generate));
  MR_ASSIGN(const FileInfo info, files.Info(flags.generate));
  const double seconds = std::chrono::duration<double>(clock.Monotonic() - begun).count();
  terminal::Line(fmt::format("{} events, {} in {:.1f} s: {}", flags.events.events,
                             ShortBytes(static_cast<double>(info.size)), seconds, flags.generate));
  return {};
}

}  // namespace

void AddBenchNexmarkCommand(CLI::App& bench, ChosenCommand& chosen) {
  CLI::App* command = bench.add_subcommand("nexmark", "Write the events of the Nexmark benchmark");
  const auto flags = std::make_shared<NexmarkFlags>();
  NexmarkOptions& events = flags->events;
  command
      ->add_option("--generate", flags->generate,
                   "New file for the events, one JSON object per line")
      ->required();
  command->add_option("--events", events.events, "How many")
      ->check(CLI::Range(1.0, 1e12))
      ->capture_default_str();
  command->add_option("--event-rate", events.event_rate, "Events per second of event time")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->add_option("--base-time", events.base_time, "Event time of the first event")
      ->capture_default_str();
  command
      ->add_option("--out-of-order-group", events.out_of_order_group,
                   "So many events at a time come in mixed order")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", events.seed, "Equal seeds give equal events")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--shifted-bidders", events.shifted_bidders,
                    "Add 1000 to each bidder, as nexmark-flink does");
  command->footer(
      "The same options of a table with connector = 'nexmark' give the same events.\n\n"
      "Examples:\n"
      "  millrace bench nexmark --generate events.ndjson --events 200000\n");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      const Status status = Generate(*flags);
      return status ? 0 : terminal::Fail(status.error());
    };
  });
}

}  // namespace millrace
