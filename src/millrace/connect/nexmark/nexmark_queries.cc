#include "millrace/connect/nexmark/nexmark_queries.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace millrace::nexmark {

namespace {

struct ViewColumn {
  std::string_view name;  ///< In the logical view.
  std::string_view type;
  std::string_view field;  ///< In a JSON line.
};

struct View {
  std::string_view name;
  int event_type;
  std::vector<ViewColumn> columns;
};

/// Columns of the generator's table are called as these, with the view's name before them; the time
/// of all events is date_time.
const std::vector<View>& Views() {
  static const std::vector<View> kViews{
      {"person",
       0,
       {{"id", "bigint", "id"},
        {"name", "text", "name"},
        {"email_address", "text", "emailAddress"},
        {"credit_card", "text", "creditCard"},
        {"city", "text", "city"},
        {"state", "text", "state"},
        {"extra", "text", "extra"}}},
      {"auction",
       1,
       {{"id", "bigint", "id"},
        {"item_name", "text", "itemName"},
        {"description", "text", "description"},
        {"initial_bid", "bigint", "initialBid"},
        {"reserve", "bigint", "reserve"},
        {"expires", "timestamptz", "expires"},
        {"seller", "bigint", "seller"},
        {"category", "bigint", "category"},
        {"extra", "text", "extra"}}},
      {"bid",
       2,
       {{"auction", "bigint", "auction"},
        {"bidder", "bigint", "bidder"},
        {"price", "bigint", "price"},
        {"channel", "text", "channel"},
        {"url", "text", "url"},
        {"extra", "text", "extra"}}},
  };
  return kViews;
}

std::set<std::string, std::less<>> WordsOf(std::string_view sql) {
  std::set<std::string, std::less<>> words;
  std::string word;
  for (const char c : sql) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else {
      words.insert(std::exchange(word, {}));
    }
  }
  words.insert(word);
  return words;
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

std::vector<std::string> InputOptions(const Input& input) {
  if (!input.file.empty()) {
    return {"connector = 'file'", "path = " + Quoted(input.file),
            input.is_stored ? "storage = 'stream'" : "storage = 'direct'",
            "timestamp_format = 'yyyy-MM-dd HH:mm:ss[.f]'",
            "date_time.from = 'bid.dateTime | auction.dateTime | person.dateTime'"};
  }
  const NexmarkOptions& events = input.events;
  return {"connector = 'nexmark'",
          fmt::format("events = {}", events.events),
          fmt::format("event_rate = {}", events.event_rate),
          "base_time = " + Quoted(events.base_time),
          fmt::format("out_of_order_group = {}", events.out_of_order_group),
          fmt::format("seed = {}", events.seed),
          fmt::format("shifted_bidders = {}", events.shifted_bidders)};
}

}  // namespace

std::string ProjectSql(const Query& query, const Input& input) {
  const auto words = WordsOf(query.sql);
  std::vector<std::string> columns{"event_type integer", "date_time timestamptz"};
  std::vector<std::string> options = InputOptions(input);
  std::string views;
  for (const View& view : Views()) {
    std::vector<std::string> outputs{"date_time"};
    for (const ViewColumn& column : view.columns) {
      if (!words.contains(view.name) || !words.contains(column.name)) {
        continue;
      }
      const std::string stored = fmt::format("{}_{}", view.name, column.name);
      columns.push_back(fmt::format("{} {}", stored, column.type));
      outputs.push_back(fmt::format("{} AS {}", stored, column.name));
      if (!input.file.empty()) {
        options.push_back(fmt::format("{}.from = '{}.{}'", stored, view.name, column.field));
      }
    }
    views += fmt::format("CREATE VIEW {} AS SELECT {} FROM events WHERE event_type = {};\n",
                         view.name, fmt::join(outputs, ", "), view.event_type);
  }
  return fmt::format(
      "CREATE TABLE events ({})\n  WITH ({}, event_time = 'date_time', "
      "watermark_delay = '4 seconds');\n{}{}",
      fmt::join(columns, ", "), fmt::join(options, ", "), views, query.sql);
}

}  // namespace millrace::nexmark
