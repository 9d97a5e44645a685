#include "millrace/cli/load_body.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(LoadBody, WritesTimesAnew) {
  LoadBody body;
  body.Add("{\"at\":");
  body.AddTime();
  body.Add(",\"sent\":");
  body.AddStamp();
  body.Add("}");
  body.EndRecord();
  body.SetTime(3'723'004'000, 42);
  EXPECT_EQ(body.text(), "{\"at\":\"2026-01-01T01:02:03.004Z\",\"sent\":1000000000000042}\n");
  EXPECT_EQ(LoadBody::DueOf(1'000'000'000'000'042), 42);
  EXPECT_EQ(body.records(), 1U);
}

TEST(LoadBody, EndsAtBytesOrRecords) {
  Rng rng(1);
  const auto make = MakeClicks(10);
  EXPECT_EQ(MakeLoadBody(make, rng, SIZE_MAX, 3).records(), 3U);
  const LoadBody body = MakeLoadBody(make, rng, 1000, SIZE_MAX);
  EXPECT_GE(body.text().size(), 1000U);
  EXPECT_EQ(std::ranges::count(body.text(), '\n'), static_cast<int64_t>(body.records()));
}

TEST(LoadBody, MakesValuesForColumns) {
  Rng rng(1);
  const auto make =
      MakeRecords({{"na\"me", "text"}, {"n", "numeric(12,2)"}, {"at", "timestamptz"}});
  ASSERT_TRUE(make.has_value());
  const LoadBody body = MakeLoadBody(*make, rng, SIZE_MAX, 1);
  EXPECT_THAT(body.text(), StartsWith("{\"na\\\"me\":\"na\\\"me-"));
  EXPECT_THAT(body.text(), HasSubstr("\"at\":\"2026-01-01T"));
  EXPECT_EQ(MakeRecords({{"x", "interval"}}).error().code(), ErrorCode::kNotImplemented);
}

}  // namespace
}  // namespace millrace
