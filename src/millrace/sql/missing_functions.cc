#include "millrace/sql/missing_functions.h"

#include <algorithm>
#include <utility>

namespace millrace::internal {

namespace {

constexpr std::string_view kMoments[] = {"now", "statement_timestamp", "transaction_timestamp"};

constexpr std::string_view kVolatiles[] = {
    "clock_timestamp", "currval", "gen_random_uuid", "lastval",          "nextval",
    "pg_sleep",        "random",  "setseed",         "uuid_generate_v4", "timeofday",
    "txid_current",    "uuidv4",  "uuidv7",          "pg_backend_pid",   "uuid_generate_v1",
};

constexpr std::string_view kOneDimension = "arrays have one dimension; cardinality counts";
constexpr std::string_view kNoSets = "functions that give many rows are not there yet";
constexpr std::string_view kRegexSubstr = "use regexp_substr";
constexpr std::string_view kSplitPart = "use split_part or string_to_array";
constexpr std::string_view kUseJsonb = "use the jsonb function of that name";

constexpr std::pair<std::string_view, std::string_view> kMissing[] = {
    {"array_dims", kOneDimension},
    {"array_ndims", kOneDimension},
    {"array_to_json", "use to_jsonb"},
    {"convert", "use convert_to and convert_from"},
    {"currtid", "there is no such state"},
    {"generate_series", kNoSets},
    {"json_array_length", kUseJsonb},
    {"json_build_array", kUseJsonb},
    {"json_build_object", kUseJsonb},
    {"json_extract_path", kUseJsonb},
    {"json_extract_path_text", kUseJsonb},
    {"json_typeof", kUseJsonb},
    {"jsonb_array_elements", kNoSets},
    {"jsonb_array_elements_text", kNoSets},
    {"jsonb_each", kNoSets},
    {"jsonb_each_text", kNoSets},
    {"jsonb_object_keys", kNoSets},
    {"jsonb_path_exists", "use the operators -> and #>"},
    {"jsonb_path_query", kNoSets},
    {"jsonb_path_query_first", "use the operators -> and #>"},
    {"make_time", "there is no type time; use make_interval"},
    {"normalize", "normalise text where it is made"},
    {"num_nulls", "count the arguments with CASE"},
    {"num_nonnulls", "count the arguments with CASE"},
    {"pg_typeof", "EXPLAIN shows the types"},
    {"proctime",
     "it is a generated column of a table, timestamptz GENERATED ALWAYS AS (proctime()) STORED, "
     "and "
     "then the time of tumble and hop"},
    {"regexp_match", kRegexSubstr},
    {"regexp_matches", kRegexSubstr},
    {"regexp_split_to_array", kSplitPart},
    {"regexp_split_to_table", kSplitPart},
    {"similar_to_escape", "use LIKE or a regular expression"},
    {"string_to_table", kSplitPart},
    {"to_json", "use to_jsonb"},
    {"to_number", "use a cast: ...::numeric"},
    {"unnest", kNoSets},
};

}  // namespace

Volatility VolatilityOf(std::string_view function) {
  if (std::ranges::find(kMoments, function) != std::end(kMoments)) {
    return Volatility::kMoment;
  }
  return std::ranges::find(kVolatiles, function) != std::end(kVolatiles) ? Volatility::kVolatile
                                                                         : Volatility::kStable;
}

std::optional<std::string_view> HintForMissing(std::string_view function) {
  const auto at =
      std::ranges::find(kMissing, function, &std::pair<std::string_view, std::string_view>::first);
  return at == std::end(kMissing) ? std::nullopt : std::optional(at->second);
}

}  // namespace millrace::internal
