#include "millrace/app/processing_options.h"

#include <algorithm>
#include <charconv>

namespace millrace {

namespace {

constexpr std::string_view kOnlyKafka = "transport: kafka";
constexpr size_t kApplicationIdMax = 200;  // Topic names made from it have at most 249 characters.

bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return false;
  }
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc() && last == end && port > 0;
}

Status CheckServers(const ProcessingOptions& options) {
  for (const std::string& server : options.bootstrap_servers) {
    if (!IsHostAndPort(server)) {
      return Err(ErrorCode::kConfigInvalidValue,
                 fmt::format("expected host:port, got '{}'", server));
    }
  }
  return {};
}

Status CheckApplicationId(const ProcessingOptions& options) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  const std::string& id = options.application_id;
  if (id.empty() || id.size() > kApplicationIdMax || !std::ranges::all_of(id, is_allowed)) {
    return Err(ErrorCode::kConfigInvalidValue,
               fmt::format("expected letters, digits, '.', '_' and '-', at most {}, got '{}'",
                           kApplicationIdMax, id));
  }
  return {};
}

}  // namespace

const OptionTable<ProcessingOptions>& ProcessingOptionTable() {
  using Options = ProcessingOptions;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .Add("processing.bootstrap_servers", &Options::bootstrap_servers,
             "Kafka brokers to begin with, host:port.")
        .Check(CheckServers)
        .OnlyFor(kOnlyKafka);
    table
        .Add("processing.application_id", &Options::application_id,
             "Consumer group, and the beginning of names of internal topics.")
        .Check(CheckApplicationId)
        .OnlyFor(kOnlyKafka);
    table
        .AddChoice("processing.auto_offset_reset", &Options::auto_offset_reset,
                   {{"earliest", OffsetReset::kEarliest}, {"latest", OffsetReset::kLatest}},
                   "Where to begin in a topic without a position.")
        .OnlyFor(kOnlyKafka);
    table
        .AddChoice("processing.processing_guarantee", &Options::processing_guarantee,
                   {{"exactly_once_v2", ProcessingGuarantee::kExactlyOnce},
                    {"at_least_once", ProcessingGuarantee::kAtLeastOnce}},
                   "Whether a transaction covers input, state and output.")
        .OnlyFor(kOnlyKafka);
    table
        .Add("processing.window_size", &Options::window_size,
             "Size of the windows of `tumble(table, column)`, which says none.")
        .Between("1 us", "36525 d");
    table
        .Add("processing.grace_period", &Options::grace_period,
             "How long after its end a window still takes rows, for views without `grace`.")
        .Between("0", "36525 d");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
