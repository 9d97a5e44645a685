#include "millrace/base/logging.h"

#include <limits>

#include <gtest/gtest.h>

#include "millrace/base/ids.h"

namespace millrace {
namespace {

constexpr Logger kLog("test");
constexpr Micros kNoon = 1'714'564'800'250'000;

class LoggingTest : public testing::Test {
 protected:
  std::string Logged(LogFormat format, auto write) {
    std::string out;
    LogSink sink({.format = format}, clock_, &out);
    InstallLogSink(&sink);
    write();
    InstallLogSink(nullptr);
    return out;
  }

  ManualClock clock_{kNoon};
};

TEST_F(LoggingTest, WritesJsonWithEcsNames) {
  EXPECT_EQ(
      Logged(LogFormat::kJson,
             [] {
               MR_LOG(kLog, kInfo, "stream opened", {"stream", "cl\"icks\n"}, {"rows", 5},
                      {"offset", Offset(7)}, {"open", true},
                      {"nan", std::numeric_limits<double>::quiet_NaN()});
             }),
      "{\"@timestamp\":\"2024-05-01T12:00:00.250000Z\",\"log.level\":\"info\",\"message\":\"stream "
      "opened\",\"ecs.version\":\"8.11\",\"log.logger\":\"millrace.test\",\"stream\":"
      "\"cl\\\"icks\\u000a\","
      "\"rows\":5,\"offset\":7,\"open\":true,\"nan\":\"nan\"}\n");
}

TEST_F(LoggingTest, WritesTextForPeople) {
  EXPECT_EQ(Logged(LogFormat::kText, [] { MR_LOG(kLog, kWarning, "queue full", {"depth", 9}); }),
            "2024-05-01T12:00:00.250000Z warn  test: queue full depth=9\n");
}

TEST_F(LoggingTest, WritesOverTheLineOfAnother) {
  std::string out;
  LogSink sink({.format = LogFormat::kText, .shares_line = true}, clock_, &out);
  InstallLogSink(&sink);
  MR_LOG(kLog, kInfo, "x");
  InstallLogSink(nullptr);
  EXPECT_EQ(out, "\r\x1b[K2024-05-01T12:00:00.250000Z info  test: x\n");
}

TEST_F(LoggingTest, AddsErrors) {
  const std::string line = Logged(LogFormat::kJson, [] {
    MR_LOG_ERROR(kLog, kError, "commit failed", Error(ErrorCode::kIoError, "write failed"));
  });
  EXPECT_NE(line.find(R"("error.code":6001,"error.message":"MR6001: write failed")"),
            std::string::npos)
      << line;
}

TEST_F(LoggingTest, DropsWhatIsBelowTheLevelWithoutEvaluatingIt) {
  bool evaluated = false;
  EXPECT_EQ(Logged(LogFormat::kJson, [&] { MR_LOG(kLog, kDebug, "x", {"a", evaluated = true}); }),
            "");
  EXPECT_FALSE(evaluated);
  MR_LOG(kLog, kError, "no sink is installed");
}

TEST_F(LoggingTest, WritesOnlyUtf8) {
  const std::string line =
      Logged(LogFormat::kJson, [] { MR_LOG(kLog, kInfo, "x", {"path", "a\xff\xc3\xa9\xe2\x82"}); });
  EXPECT_NE(line.find("\"path\":\"a\ufffd\u00e9\ufffd\ufffd\""), std::string::npos) << line;
}

TEST_F(LoggingTest, CutsLongLines) {
  const std::string huge(100'000, 'x');
  const std::string line =
      Logged(LogFormat::kJson, [&] { MR_LOG(kLog, kInfo, "big", {"a", 1}, {"huge", huge}); });
  EXPECT_LT(line.size(), 17'000U);
  EXPECT_NE(line.find("\"log.truncated\":true}"), std::string::npos);
}

}  // namespace
}  // namespace millrace
