#include "millrace/base/options.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

enum class Mode { kFast, kSafe };

struct TestOptions {
  std::string listen = "127.0.0.1:7070";
  ByteSize body_max{64 << 20};
  Duration timeout = std::chrono::seconds(5);
  bool enabled = true;
  int32_t workers = 2;
  std::vector<std::string> hosts = {"localhost"};
  Secret token;
  Mode mode = Mode::kSafe;
};

OptionTable<TestOptions> MakeTable() {
  OptionTable<TestOptions> table;
  table.Add("http.listen", &TestOptions::listen, "Address to listen on.");
  table.Add("http.body_max", &TestOptions::body_max, "Largest body.").Between("1 KiB", "1 GiB");
  table.Add("http.timeout", &TestOptions::timeout, "Time for a request.");
  table.Add("http.enabled", &TestOptions::enabled, "Whether to listen.");
  table.Add("workers", &TestOptions::workers, "Threads.").Between("1", "64");
  table.Add("http.hosts", &TestOptions::hosts, "Names of this host.");
  table.Add("http.token", &TestOptions::token, "Bearer token.");
  table.AddChoice("mode", &TestOptions::mode, {{"fast", Mode::kFast}, {"safe", Mode::kSafe}},
                  "Mode.");
  return table;
}

std::vector<std::string> Texts(const std::vector<ProjectError>& errors) {
  std::vector<std::string> texts;
  texts.reserve(errors.size());
  for (const ProjectError& error : errors) {
    texts.push_back(error.ToString());
  }
  return texts;
}

TEST(Options, HaveTheStructsDefaults) {
  std::vector<ProjectError> errors;
  std::vector<OptionReading> readings;
  const TestOptions options = MakeTable().Read(OptionSources(), errors, &readings);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(options.listen, "127.0.0.1:7070");
  ASSERT_EQ(readings.size(), 8U);
  EXPECT_EQ(readings[1].text, "64 MiB");
  EXPECT_EQ(readings[2].text, "5 s");
  EXPECT_EQ(readings[7].text, "safe");
  EXPECT_EQ(readings[0].origin.ToString(), "default");
}

TEST(Options, LaterPlacesWinWhateverTheOrderOfCalls) {
  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddFlag({"http.listen", "flag:1", "--http.listen"});
  sources.AddEnvironment(
      {"MILLRACE__HTTP__LISTEN=env:1", "MILLRACE__WORKERS=7", "PATH=/bin", "MILLRACE_X=1"});
  sources.AddYaml(
      "http:\n  listen: file:1\n  timeout: 1h 30min\n  hosts: [a, b]\nworkers: 3\nmode: fast\n",
      "m.yaml", errors);
  std::vector<OptionReading> readings;
  const TestOptions options = MakeTable().Read(sources, errors, &readings);
  EXPECT_TRUE(errors.empty()) << testing::PrintToString(Texts(errors));
  EXPECT_EQ(options.listen, "flag:1");
  EXPECT_EQ(options.workers, 7);
  EXPECT_EQ(options.timeout, std::chrono::minutes(90));
  EXPECT_EQ(options.hosts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.mode, Mode::kFast);
  EXPECT_EQ(readings[0].origin.ToString(), "flag --http.listen");
  EXPECT_EQ(readings[2].origin.ToString(), "m.yaml:3:3");
  EXPECT_EQ(readings[4].origin.ToString(), "environment MILLRACE__WORKERS");
}

TEST(Options, CollectsAllErrorsWithTheirPlaces) {
  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddYaml("http:\n  body_max: 2 GiB\n  timeout: 5\n  lisen: x\nworkers: many\nmode: slow\n",
                  "m.yaml", errors);
  const auto table = MakeTable();
  (void)table.Read(sources, errors);
  const OptionTableBase* const tables[] = {&table};
  RefuseUnknownOptions(sources, tables, errors);
  EXPECT_EQ(Texts(errors),
            (std::vector<std::string>{
                "m.yaml:2:3: MR1003: http.body_max: expected 1 KiB .. 1 GiB, got '2 GiB'",
                "m.yaml:3:3: MR1003: http.timeout: expected a time with its unit such as 5 s or "
                "100 ms, got '5'",
                "m.yaml:5:1: MR1003: workers: expected a whole number, got 'many'",
                "m.yaml:6:1: MR1003: mode: expected one of fast, safe, got 'slow'",
                "m.yaml:4:3: MR1002: unknown option 'http.lisen' (did you mean 'http.listen'?)"}));
}

TEST(Options, ReadsNumbers) {
  EXPECT_EQ(ParseOptionNumber(" 0.25 ").value_or(0), 0.25);
  EXPECT_EQ(ParseOptionNumber("-1e3").value_or(0), -1000);
  for (const std::string_view text : {"", "x", "1,5", "1 2", "inf", "nan", "1e999"}) {
    ASSERT_FALSE(ParseOptionNumber(text)) << text;
    EXPECT_EQ(ParseOptionNumber(text).error().code(), ErrorCode::kConfigInvalidValue);
  }
}

TEST(Options, RefusesBrokenYaml) {
  for (const std::string_view text :
       {"a: [1, 2", "- 1\n- 2\n", "a: {b: [[1]]}", "just text", "a: 1\nb: 2\na: 3", "[a]: 1"}) {
    OptionSources sources;
    std::vector<ProjectError> errors;
    sources.AddYaml(text, "m.yaml", errors);
    ASSERT_EQ(errors.size(), 1U) << text;
    EXPECT_NE(errors[0].ToString().find("m.yaml:"), std::string::npos) << errors[0].ToString();
  }
  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddYaml("", "m.yaml", errors);
  sources.AddYaml("# nothing\n", "m.yaml", errors);
  EXPECT_TRUE(errors.empty());
}

TEST(Options, KnowSectionsFromOptions) {
  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddYaml("http:\nworkers:\nhtpp:\n", "m.yaml", errors);
  sources.AddFlag({"http", "1", "--http"});
  const auto table = MakeTable();
  const OptionTableBase* const tables[] = {&table};
  RefuseUnknownOptions(sources, tables, errors);
  EXPECT_EQ(Texts(errors),
            (std::vector<std::string>{
                "flag --http: MR1002: 'http' is a section, not an option (its options are "
                "http.listen, http.body_max, http.timeout, http.enabled, http.hosts, http.token)",
                "m.yaml:3:1: MR1002: unknown option 'htpp'"}));
}

struct NestedOptions {
  struct {
    size_t bytes_max = 4096;
  } body;
  std::chrono::milliseconds timeout{1500};
  std::optional<Duration> grace;
};

TEST(Options, ReachMembersOfAnyPlaceAndUnit) {
  OptionTable<NestedOptions> table;
  table.AddBytes("body_max", [](auto& o) -> auto& { return o.body.bytes_max; }, "Largest body.");
  table.Add("timeout", &NestedOptions::timeout, "Time.").Check([](const NestedOptions& options) {
    return options.timeout.count() % 2 == 0 ? Status() : Err(ErrorCode::kConfigInvalidValue, "odd");
  });
  table.Add("grace", &NestedOptions::grace, "Grace.").Between("0", "1 h");
  EXPECT_EQ(table.options()[0].info.default_text, "4 KiB");
  EXPECT_EQ(table.options()[1].info.default_text, "1500 ms");
  EXPECT_EQ(table.options()[2].info.default_text, "");

  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddYaml("body_max: 1 MiB\ntimeout: 2 s\ngrace: 0\n", "m.yaml", errors);
  const NestedOptions options = table.Read(sources, errors);
  EXPECT_TRUE(errors.empty()) << testing::PrintToString(Texts(errors));
  EXPECT_EQ(options.body.bytes_max, 1U << 20);
  EXPECT_EQ(options.timeout.count(), 2000);
  EXPECT_EQ(options.grace, Duration(0));

  sources.AddFlag({"body_max", "many", "--body_max"});
  sources.AddFlag({"timeout", "3 ms", "--timeout"});
  sources.AddFlag({"grace", "2 h", "--grace"});
  (void)table.Read(sources, errors);
  EXPECT_EQ(Texts(errors),
            (std::vector<std::string>{
                "flag --body_max: MR1003: body_max: expected a size such as 64 MiB, got 'many'",
                "flag --timeout: MR1003: timeout: odd",
                "flag --grace: MR1003: grace: expected 0 .. 1 h, got '2 h'"}));

  sources.AddFlag({"timeout", "1 us", "--timeout"});
  errors.clear();
  (void)table.Read(sources, errors);
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[1].error.message(), "expected a multiple of 1 ms, got '1 us'");
}

TEST(Options, ReportsMissingRequiredOnes) {
  OptionTable<TestOptions> table;
  table.Add("http.listen", &TestOptions::listen, "Address.").Required();
  std::vector<ProjectError> errors;
  (void)table.Read(OptionSources(), errors);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].error.code(), ErrorCode::kConfigMissingValue);
}

TEST(Options, PrintsSecretsAsDots) {
  OptionSources sources;
  sources.AddWith({{"http.token", {"hunter2", {"clicks.sql", 3, 7}}}}, {"clicks.sql", 2, 1});
  std::vector<ProjectError> errors;
  std::vector<OptionReading> readings;
  const TestOptions options = MakeTable().Read(sources, errors, &readings);
  EXPECT_EQ(options.token.value, "hunter2");
  EXPECT_EQ(readings[6].text, kSecretDots);
  EXPECT_EQ(readings[6].origin.ToString(), "clicks.sql:3:7");
}

TEST(Options, WritesTheirReference) {
  OptionTable<TestOptions> table;
  table.Add("workers", &TestOptions::workers, "Threads.").Between("1", "64").OnlyFor("mode: fast");
  std::string out;
  AppendOptionReference(out, table);
  EXPECT_EQ(out,
            "| option | type | default | values | meaning |\n|---|---|---|---|---|\n"
            "| `workers` | integer | `2` | 1 .. 64 | Threads. Only used with `mode: fast`. |\n");
}

TEST(OptionValues, ReadUnits) {
  EXPECT_EQ(ParseByteSize("64 MiB").value().bytes, 64 << 20);
  EXPECT_EQ(ParseByteSize("64mib").value().bytes, 64 << 20);
  EXPECT_EQ(ParseByteSize("1 GB").value().bytes, 1'000'000'000);
  EXPECT_EQ(ParseByteSize("4096").value().bytes, 4096);
  EXPECT_EQ(ParseDuration("100ms").value().count(), 100'000);
  EXPECT_EQ(ParseDuration("5 seconds").value().count(), 5'000'000);
  EXPECT_EQ(ParseDuration("0").value().count(), 0);
  for (const std::string_view text :
       {"", "MiB", "1 XiB", "-1 MiB", "1 MiB 2", "99999999999999999999", "9999999 TiB"}) {
    EXPECT_EQ(ParseByteSize(text).error().code(), ErrorCode::kConfigInvalidValue) << text;
  }
  for (const std::string_view text :
       {"", "5", "s", "5 parsecs", "-5 s", "1.5 s", "999999999999 d"}) {
    EXPECT_EQ(ParseDuration(text).error().code(), ErrorCode::kConfigInvalidValue) << text;
  }
  EXPECT_EQ(ParseOptionList(" a , b,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(ParseOptionList(" ").empty());
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(1500)), "1500 ms");
  EXPECT_EQ(FormatByteSize({1000}), "1000 B");
}

}  // namespace
}  // namespace millrace
