#include "millrace/app/configuration.h"

#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"

namespace millrace {
namespace {

class ConfigurationTest : public testing::Test {
 protected:
  void Write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(files_.CreateDirectories(ParentPath(path)));
    ASSERT_TRUE(ReplaceFile(files_, path, text));
  }

  std::string Errors(const LoadedConfiguration& loaded) {
    std::string text;
    for (const ProjectError& error : loaded.errors) {
      text += error.ToString() + "\n";
    }
    return text;
  }

  SimulatedFileSystem files_{1};
};

TEST_F(ConfigurationTest, IsAllDefaultsWithoutAFile) {
  const auto loaded = LoadConfiguration(files_, {.directory = "p", .flags = {}, .environment = {}});
  EXPECT_EQ(Errors(loaded), "");
  EXPECT_EQ(loaded.file, "");
  EXPECT_EQ(loaded.values.places.project_dir, "p");
  EXPECT_EQ(loaded.values.places.data_dir, "p/data");
  EXPECT_EQ(loaded.values.http.listen, std::vector<std::string>{"127.0.0.1:8080"});
  for (const OptionReading& reading : loaded.readings) {
    EXPECT_EQ(reading.origin.ToString(), "default") << reading.name;
  }
}

TEST_F(ConfigurationTest, TakesFlagsBeforeEnvironmentBeforeFile) {
  Write("p/millrace.yaml",
        "data_dir: d\nhttp:\n  listen: 127.0.0.1:1\n  threads: 3\nengine: {workers: 5}\n");
  const auto loaded = LoadConfiguration(
      files_, {.directory = "p",
               .flags = {{"engine.workers", "7", "--workers"}},
               .environment = {"MILLRACE__HTTP__LISTEN=127.0.0.1:2,[::1]:3",
                               "MILLRACE__ENGINE__WORKERS=6", "CONFIG_PATH=elsewhere.yaml"}});
  EXPECT_EQ(Errors(loaded), "");
  EXPECT_EQ(loaded.file, "p/millrace.yaml");
  EXPECT_EQ(loaded.values.places.data_dir, "p/d");
  EXPECT_EQ(loaded.values.http.listen, (std::vector<std::string>{"127.0.0.1:2", "[::1]:3"}));
  EXPECT_EQ(loaded.values.http.threads_count, 3);
  EXPECT_EQ(loaded.values.engine.workers, 7);
}

TEST_F(ConfigurationTest, FindsFileByVariableAndProjectByFile) {
  Write("etc/m.yaml", "project_dir: ../srv/p\n");
  const auto loaded = LoadConfiguration(
      files_, {.directory = "", .flags = {}, .environment = {"CONFIG_PATH=etc/m.yaml"}});
  EXPECT_EQ(Errors(loaded), "");
  EXPECT_EQ(loaded.values.places.project_dir, "etc/../srv/p");
  EXPECT_EQ(loaded.values.places.data_dir, "etc/../srv/p/data");

  const auto missing = LoadConfiguration(
      files_, {.directory = "", .flags = {}, .environment = {"CONFIG_PATH=etc/none.yaml"}});
  ASSERT_EQ(missing.errors.size(), 1U);
  EXPECT_EQ(missing.errors[0].error.code(), ErrorCode::kProjectNotFound);
}

TEST_F(ConfigurationTest, KeepsPathsOfFlagsAndEnvironmentRelativeToTheWorkingDirectory) {
  Write("p/millrace.yaml", "data_dir: d\n");
  const auto loaded = LoadConfiguration(files_, {.directory = "p",
                                                 .flags = {{"data_dir", "e", "--data-dir"}},
                                                 .environment = {"MILLRACE__PROJECT_DIR=q"}});
  EXPECT_EQ(loaded.values.places.data_dir, "e");
  EXPECT_EQ(loaded.values.places.project_dir, "q");
}

TEST_F(ConfigurationTest, ReportsAllErrorsAtOnceByPlace) {
  Write("p/millrace.yaml",
        "transport: kafka\n"
        "http:\n"
        "  lisen: 127.0.0.1:1\n"
        "  listen: localhost\n"
        "processing:\n"
        "  bootstrap_servers: [broker]\n"
        "  application_id: 'a b'\n");
  const auto loaded = LoadConfiguration(files_, {.directory = "p",
                                                 .flags = {{"engine.workers", "-1", "--workers"}},
                                                 .environment = {"MILLRACE__ENGIN__WORKERS=1"}});
  EXPECT_EQ(Errors(loaded),
            "environment MILLRACE__ENGIN__WORKERS: MR1002: unknown option 'engin.workers' (did you "
            "mean 'engine.workers'?)\n"
            "flag --workers: MR1003: engine.workers: expected 0 .. 1024, got '-1'\n"
            "p/millrace.yaml:1:1: MR9002: transport: the Kafka transport is not there yet (set "
            "transport: embedded)\n"
            "p/millrace.yaml:3:3: MR1002: unknown option 'http.lisen' (did you mean "
            "'http.listen'?)\n"
            "p/millrace.yaml:4:3: MR1003: http.listen: 'localhost' is not an address to listen on, "
            "such as 127.0.0.1:8080 or [::1]:8080\n"
            "p/millrace.yaml:6:3: MR1003: processing.bootstrap_servers: expected host:port, got "
            "'broker'\n"
            "p/millrace.yaml:7:3: MR1003: processing.application_id: expected letters, digits, "
            "'.', '_' and '-', at most 200, got 'a b'\n");
}

TEST_F(ConfigurationTest, RefusesToListenBeyondLoopbackWithoutTokens) {
  Write("p/millrace.yaml", "http:\n  listen: 0.0.0.0:8080\n");
  const ConfigurationRequest request{.directory = "p", .flags = {}, .environment = {}};
  const auto loaded = LoadConfiguration(files_, request);
  ASSERT_EQ(loaded.errors.size(), 1U);
  EXPECT_EQ(loaded.errors[0].error.code(), ErrorCode::kConfigUnsafeListen);
  EXPECT_EQ(loaded.errors[0].location.ToString(), "p/millrace.yaml:2:3");
  EXPECT_NE(loaded.errors[0].error.hint(), "");

  Write("p/millrace.yaml", "http:\n  listen: 0.0.0.0:8080\nengine:\n  workers: many\n");
  EXPECT_EQ(LoadConfiguration(files_, request).errors.size(), 2U) << "both are told at once";

  Write("p/millrace.yaml", "insecure: true\nhttp:\n  listen: 0.0.0.0:8080\n");
  EXPECT_EQ(Errors(LoadConfiguration(files_, request)), "");

  Write("p/millrace.yaml",
        "auth: {tokens: [a read " + serve::HashToken("x") + "]}\nhttp: {listen: '0.0.0.0:8080'}\n");
  const auto closed = LoadConfiguration(files_, request);
  EXPECT_EQ(Errors(closed), "");
  EXPECT_EQ(closed.values.auth.tokens.size(), 1U);
}

TEST_F(ConfigurationTest, NamesWhatOnlyKafkaUses) {
  Write("p/millrace.yaml",
        "processing:\n  bootstrap_servers: b:9092\n  application_id: shop\n  window_size: 5 min\n"
        "  grace_period: 10 s\n");
  const auto loaded = LoadConfiguration(files_, {.directory = "p", .flags = {}, .environment = {}});
  EXPECT_EQ(Errors(loaded), "");
  const auto unused = UnusedOptions(loaded);
  ASSERT_EQ(unused.size(), 2U);
  EXPECT_EQ(unused[0].name, "processing.bootstrap_servers");
  EXPECT_EQ(unused[1].only_for, "transport: kafka");
  EXPECT_EQ(loaded.values.processing.window_size, Duration(std::chrono::minutes(5)));
  EXPECT_EQ(loaded.values.processing.grace_period, Duration(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace millrace
