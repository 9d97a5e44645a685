#include "millrace/base/error.h"

#include <gtest/gtest.h>

#include "millrace/base/result.h"

namespace millrace {
namespace {

TEST(Error, RendersContextOutermostFirst) {
  const Error error = Error(ErrorCode::kCorruption, "checksum differs")
                          .WithContext("segment 3")
                          .WithContext("stream clicks")
                          .WithHint("restore a backup");
  EXPECT_EQ(error.ToString(),
            "MR6003: stream clicks: segment 3: checksum differs (restore a backup)");
  EXPECT_EQ(error.retry(), Retry::kNever);
  EXPECT_EQ(error.number(), 6003);
}

TEST(Error, KnowsEveryCode) {
  EXPECT_GT(AllErrorCodes().size(), 50U);
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    EXPECT_EQ(&Describe(info.code), &info);
    EXPECT_FALSE(info.meaning.empty());
    EXPECT_NE(info.meaning.back(), '.') << info.name;
  }
  EXPECT_EQ(Describe(ErrorCode::kDiskFull).retry, Retry::kBackoff);
}

Result<int> Half(int value) {
  if (value % 2 != 0) {
    return Err(ErrorCode::kNumericOutOfRange, "odd");
  }
  return value / 2;
}

Result<int> Quarter(int value) {
  MR_ASSIGN(const int half, Half(value));
  MR_TRY(Half(half));
  return half / 2;
}

TEST(Result, MacrosPassErrorsOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().code(), ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(Quarter(3).error().message(), "odd");
}

}  // namespace
}  // namespace millrace
