#include "millrace/connect/nexmark/nexmark_options.h"

#include <fmt/format.h>

#include "millrace/data/text_format.h"

namespace millrace {

Micros NexmarkOptions::base_micros() const { return ParseTimestamptz(base_time).value_or(0); }

const OptionTable<NexmarkOptions>& NexmarkOptionTable() {
  static const OptionTable<NexmarkOptions> kTable = [] {
    OptionTable<NexmarkOptions> table;
    table
        .Add("events", &NexmarkOptions::events, "After how many events the input ends; 0 is never.")
        .Between("0", "1000000000000000");
    table
        .Add("event_rate", &NexmarkOptions::event_rate,
             "Events per second of event time: the benchmark's first event rate.")
        .Between("1", "1000000000");
    table.Add("base_time", &NexmarkOptions::base_time, "Event time of the first event.")
        .Check([](const NexmarkOptions& options) -> Status {
          if (!ParseTimestamptz(options.base_time)) {
            return Err(ErrorCode::kConfigInvalidValue,
                       fmt::format("expected a timestamp, got '{}'", options.base_time));
          }
          return {};
        });
    table
        .Add("out_of_order_group", &NexmarkOptions::out_of_order_group,
             "So many events at a time come in mixed order; 1 is in order.")
        .Between("1", "1000000");
    table
        .Add("seed", &NexmarkOptions::seed, "Of all random choices: equal seeds give equal events.")
        .Between("0", "1000000000000000");
    table.Add(
        "shifted_bidders", &NexmarkOptions::shifted_bidders,
        "Adds 1000 to each bidder, as nexmark-flink does, so that bidders are other persons.");
    table
        .Add("throughput", &NexmarkOptions::throughput,
             "Events per second that are made; 0 is as fast as possible.")
        .Between("0", "1000000000");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
