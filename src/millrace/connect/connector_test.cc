#include "millrace/connect/connector.h"

#include <gtest/gtest.h>

#include "millrace/connect/ingest_options.h"

namespace millrace {
namespace {

TableDefinition Table(const std::map<std::string, std::string>& options,
                      TypeId rest = TypeId::kJsonb) {
  TableDefinition table;
  table.name = "t";
  table.location = {"t.sql", 1, 14};
  table.schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kText)},
                             {.name = "_rest", .type = DataType::Of(rest)}});
  int line = 2;
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {"t.sql", line++, 3}};
  }
  return table;
}

std::string Errors(const TableDefinition& table) {
  std::vector<ProjectError> errors;
  CheckConnector(table, errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return text;
}

TEST(Connector, PassesATableWithoutOptions) {
  EXPECT_EQ(Errors(Table({})), "");
  ASSERT_NE(FindConnector(Table({})), nullptr);
  EXPECT_EQ(FindConnector(Table({}))->name, "http");
}

TEST(Connector, ReportsAllErrorsWithTheNearestNames) {
  EXPECT_EQ(
      Errors(Table(
          {{"conector", "http"}, {"evnt_time", "at"}, {"format", "xml"}, {"idle_timeout", "0"}})),
      "t.sql:2:3: MR1002: unknown option 'conector' (did you mean 'connector'?)\n"
      "t.sql:3:3: MR1002: unknown option 'evnt_time' (did you mean 'event_time'?)\n"
      "t.sql:4:3: MR1003: format: expected one of json, got 'xml'\n"
      "t.sql:5:3: MR1003: idle_timeout: expected 1 s .. 365 d, got '0'\n");
}

TEST(Connector, RefusesUnknownKinds) {
  EXPECT_EQ(Errors(Table({{"connector", "htpp"}})),
            "t.sql:2:3: MR1003: there is no connector 'htpp' (did you mean 'http'?)\n");
  EXPECT_EQ(FindConnector(Table({{"connector", "htpp"}})), nullptr);
}

TEST(Connector, OnlySomeCanGoWithoutAStream) {
  TableDefinition table = Table({{"connector", "file"}, {"path", "x"}});
  table.is_direct = true;
  EXPECT_EQ(Errors(table), "");
  EXPECT_TRUE(FindConnector(table)->can_skip_columns(table));
  table.options["format"] = {"csv", {}};
  EXPECT_FALSE(FindConnector(table)->can_skip_columns(table)) << "fields may go by their place";
  table = Table({});
  table.is_direct = true;
  EXPECT_EQ(Errors(table),
            "t.sql:1:14: MR9002: storage = 'direct' is for connector = 'file', and not yet for "
            "'http'\n");
}

TEST(Connector, KeepsUndeclaredFieldsOnlyWhereThereIsAColumn) {
  EXPECT_EQ(Errors(Table({{"undeclared_fields", "keep"}})), "");
  EXPECT_EQ(Errors(Table({{"undeclared_fields", "keep"}}, TypeId::kText)),
            "t.sql:2:3: MR2013: undeclared_fields = 'keep' needs a column of type jsonb for them "
            "(declare the column _rest jsonb)\n");
}

TEST(Connector, ReadsIngestOptions) {
  const auto options = ReadConnectorOptions(
      Table({{"idle_timeout", "5 s"}, {"undeclared_fields", "error"}}), IngestOptionTable());
  EXPECT_EQ(options.idle_timeout, std::chrono::seconds(5));
  EXPECT_EQ(options.json.undeclared, UndeclaredFields::kError);
  EXPECT_EQ(options.json.depth_max, 64U);
}

}  // namespace
}  // namespace millrace
