#include "millrace/connect/datagen/datagen_options.h"

#include <fmt/format.h>

#include "millrace/data/text_format.h"

namespace millrace {

namespace {

constexpr std::string_view kNow = "now";

Status CheckShare(double share) {
  return share >= 0 && share <= 1
             ? Status()
             : Err(ErrorCode::kConfigInvalidValue, fmt::format("expected 0 .. 1, got {}", share));
}

}  // namespace

Micros DatagenOptions::StartMicros(Micros now) const {
  return start_time == kNow ? now : ParseTimestamptz(start_time).value_or(now);
}

const OptionTable<DatagenOptions>& DatagenOptionTable() {
  static const OptionTable<DatagenOptions> kTable = [] {
    OptionTable<DatagenOptions> table;
    table.Add("rows", &DatagenOptions::rows, "After how many rows the input ends; 0 is never.")
        .Between("0", "1000000000000000");
    table
        .Add("rate", &DatagenOptions::rate,
             "Rows per second that are made; 0 is as fast as possible.")
        .Between("0", "1000000000");
    table.Add("seed", &DatagenOptions::seed, "Of all random choices: equal seeds give equal rows.")
        .Between("0", "1000000000000000");
    table
        .Add("start_time", &DatagenOptions::start_time,
             "Event time of the first row; now is when the table began.")
        .Check([](const DatagenOptions& options) -> Status {
          if (options.start_time != kNow && !ParseTimestamptz(options.start_time)) {
            return Err(ErrorCode::kConfigInvalidValue,
                       fmt::format("expected a timestamp or now, got '{}'", options.start_time));
          }
          return {};
        });
    table
        .Add("time_step", &DatagenOptions::time_step,
             "Event time from row to row; without, as the rate has it, or 1 ms.")
        .Between("0", "365 d");
    table
        .Add("out_of_order_share", &DatagenOptions::out_of_order_share,
             "Share of rows whose event time is earlier than their place.")
        .Check(
            [](const DatagenOptions& options) { return CheckShare(options.out_of_order_share); });
    table
        .Add("out_of_order_max", &DatagenOptions::out_of_order_max,
             "By how much it is earlier at most.")
        .Between("0", "365 d");
    return table;
  }();
  return kTable;
}

const OptionTable<DatagenColumnOptions>& DatagenColumnOptionTable() {
  using Options = DatagenColumnOptions;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table.AddChoice("kind", &Options::kind,
                    {{"sequence", DatagenKind::kSequence},
                     {"uniform", DatagenKind::kUniform},
                     {"zipf", DatagenKind::kZipf},
                     {"choice", DatagenKind::kChoice},
                     {"text", DatagenKind::kText},
                     {"time", DatagenKind::kTime}},
                    "How values are made; without, what suits the column's type.");
    table.Add("null_share", &Options::null_share, "Share of rows in which the column is NULL.")
        .Check([](const Options& options) { return CheckShare(options.null_share); });
    table.Add("start", &Options::start, "First number of a sequence; without, 1.");
    table.Add("step", &Options::step, "From number to number of a sequence; without, 1.")
        .Between("1", "1000000000000");
    table.Add("min", &Options::min, "Least number of uniform; without, 0.");
    table.Add("max", &Options::max,
              "Largest number of uniform, without, 100; or the one behind which a sequence starts "
              "again.");
    table.Add("count", &Options::count, "How many numbers zipf knows; without, 1000.")
        .Between("1", "1000000000000");
    table
        .Add("exponent", &Options::exponent,
             "Of zipf: how much more often small numbers come; without, 1.")
        .Check([](const Options& options) -> Status {
          if (*options.exponent <= 0 || *options.exponent > 10) {
            return Err(ErrorCode::kConfigInvalidValue,
                       fmt::format("expected above 0 .. 10, got {}", *options.exponent));
          }
          return {};
        });
    table.Add("prefix", &Options::prefix,
              "In front of a number of sequence, uniform and zipf in a column of text.");
    table.Add("values", &Options::values,
              "What choice takes one of, as text of the column's type.");
    table.Add("weights", &Options::weights,
              "How often it takes each: whole numbers, one for each value; without, alike.");
    table.Add("length_min", &Options::length_min, "Least letters of text; without, 10.")
        .Between("0", "100000");
    table.Add("length_max", &Options::length_max, "Most letters of text; without, length_min.")
        .Between("0", "100000");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
