#include "millrace/connect/file/file_connector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"

namespace millrace {
namespace {

TableDefinition Table(const std::map<std::string, std::string>& options) {
  TableDefinition table;
  table.name = "t";
  table.location = {"t.sql", 1, 14};
  table.schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kText), .nullable = false},
                             {.name = "b", .type = DataType::Of(TypeId::kInt64)}});
  table.options["connector"] = {"file", {"t.sql", 2, 3}};
  int line = 3;
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {"t.sql", line++, 3}};
  }
  return table;
}

std::string Errors(const std::map<std::string, std::string>& options) {
  std::vector<ProjectError> errors;
  CheckConnector(Table(options), errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return text;
}

TEST(FileConnector, PassesWhatFits) {
  EXPECT_EQ(Errors({{"path", "/x"}}), "");
  EXPECT_EQ(Errors({{"path", "/x"},
                    {"mode", "follow"},
                    {"format", "regex"},
                    {"pattern", "(?<a>x)(?<b>y)?"},
                    {"poll_interval", "1 s"},
                    {"time_zone", "Europe/Berlin"}}),
            "");
}

TEST(FileConnector, ReportsWhatIsMissingOrWrong) {
  EXPECT_THAT(Errors({}), testing::HasSubstr("MR1004: "));
  EXPECT_EQ(Errors({{"path", "/x"}, {"mod", "follow"}}),
            "t.sql:3:3: MR1002: unknown option 'mod' (did you mean 'mode'?)\n");
  EXPECT_EQ(Errors({{"path", "/x"}, {"format", "regex"}}),
            "t.sql:3:3: MR1004: format = 'regex' needs a pattern\n");
  EXPECT_EQ(Errors({{"path", "/x"}, {"pattern", "(?<a>.*)"}}),
            "t.sql:4:3: MR1003: pattern is for format = 'regex'\n");
  EXPECT_THAT(Errors({{"format", "regex"}, {"path", "/x"}, {"pattern", "(?<a>"}}),
              testing::StartsWith("t.sql:5:3: MR3007: "));
  EXPECT_THAT(Errors({{"format", "regex"}, {"path", "/x"}, {"pattern", "(?<b>.*)"}}),
              testing::StartsWith("t.sql:5:3: MR1003: "));
  EXPECT_THAT(Errors({{"format", "regex"},
                      {"path", "/x"},
                      {"pattern", "(?<a>.*)"},
                      {"time_zone", "Middle/Earth"}}),
              testing::StartsWith("t.sql:6:3: MR1003: time_zone: unknown time zone"));
}

TEST(FileConnector, ChecksTheOptionsOfCsv) {
  const auto csv = [](std::map<std::string, std::string> options) {
    options.insert({{"path", "/x"}, {"format", "csv"}});
    return Errors(options);
  };
  EXPECT_EQ(csv({}), "");
  EXPECT_EQ(csv({{"delimiter", "tab"}, {"quote", ""}, {"escape", "\\"}, {"null_text", "NULL"}}),
            "");
  EXPECT_EQ(csv({{"a.from", "A a"}}), "");
  EXPECT_EQ(csv({{"delimiter", "::"}}),
            "t.sql:3:3: MR1003: delimiter: expected one ASCII character, got '::'\n");
  EXPECT_EQ(csv({{"quote", "\n"}}),
            "t.sql:5:3: MR1003: quote: expected one ASCII character or none, got '\n'\n");
  EXPECT_EQ(csv({{"escape", "\""}}),
            "t.sql:3:3: MR1003: delimiter, quote and escape must differ; a quote is always doubled "
            "in text\n");
  EXPECT_EQ(csv({{"header", "false"}, {"a.from", "A"}}),
            "t.sql:5:3: MR1003: a.from needs a header\n");
  EXPECT_EQ(Errors({{"path", "/x"}, {"header", "false"}}),
            "t.sql:3:3: MR1003: header is for format = 'csv'\n");
}

TEST(FileConnector, LooksForTheFilesOfABoundedInput) {
  SimulatedFileSystem files(1);
  ASSERT_TRUE(files.CreateDirectories("/project/logs"));
  const Connector connector = MakeFileConnector();
  const auto code = [&](const std::map<std::string, std::string>& options) {
    const auto checked = connector.preflight(Table(options), "/project", files);
    return checked ? ErrorCode::kInternal : checked.error().code();
  };
  EXPECT_EQ(code({{"path", "logs/*.log"}}), ErrorCode::kSourceUnavailable);
  EXPECT_EQ(code({{"path", "logs"}}), ErrorCode::kSourceUnavailable);
  EXPECT_EQ(code({{"path", "logs/*.log"}, {"mode", "follow"}}), ErrorCode::kInternal);
  ASSERT_TRUE(files.Open("/project/logs/a.log", OpenMode::kCreate));
  EXPECT_EQ(code({{"path", "logs/*.log"}}), ErrorCode::kInternal);
  EXPECT_EQ(code({{"path", "/project/logs/a.log"}}), ErrorCode::kInternal);
}

}  // namespace
}  // namespace millrace
