#include "millrace/connect/nexmark/nexmark_connector.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string Errors(std::vector<Field> fields, const std::map<std::string, std::string>& options) {
  TableDefinition table;
  table.name = "t";
  table.location = {"t.sql", 1, 14};
  table.schema = MakeSchema(std::move(fields));
  table.options["connector"] = {"nexmark", {"t.sql", 2, 3}};
  int line = 3;
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {"t.sql", line++, 3}};
  }
  std::vector<ProjectError> errors;
  CheckConnector(table, errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return text;
}

const Field kPrice{.name = "bid_price", .type = DataType::Of(TypeId::kInt64)};

TEST(NexmarkConnector, PassesAnyOfItsColumns) {
  EXPECT_EQ(Errors({kPrice}, {}), "");
  EXPECT_EQ(
      Errors({{.name = "date_time", .type = DataType::Of(TypeId::kTimestamptz), .nullable = false},
              kPrice},
             {{"events", "10"}, {"base_time", "2026-01-01 00:00:00+01"}, {"seed", "7"}}),
      "");
}

TEST(NexmarkConnector, RefusesOtherColumnsTypesAndOptions) {
  EXPECT_EQ(Errors({{.name = "bid_prize", .type = DataType::Of(TypeId::kInt64)}}, {}),
            "t.sql:1:14: MR2005: Nexmark events have no column bid_prize "
            "(did you mean 'bid_price'?)\n");
  EXPECT_EQ(Errors({{.name = "bid_price", .type = DataType::Of(TypeId::kText)}}, {}),
            "t.sql:1:14: MR2008: column bid_price of Nexmark events is bigint, not text\n");
  EXPECT_EQ(
      Errors({{.name = "bid_price", .type = DataType::Of(TypeId::kInt64), .nullable = false}}, {}),
      "t.sql:1:14: MR2013: column bid_price is NULL in events of other kinds (declare it without "
      "NOT NULL)\n");
  EXPECT_EQ(Errors({kPrice}, {{"base_time", "then"}, {"event_rate", "0"}, {"format", "json"}}),
            "t.sql:5:3: MR1002: unknown option 'format'\n"
            "t.sql:4:3: MR1003: event_rate: expected 1 .. 1000000000, got '0'\n"
            "t.sql:3:3: MR1003: base_time: expected a timestamp, got 'then'\n");
}

}  // namespace
}  // namespace millrace
