#include "millrace/serve/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Problem, IsAnRfc9457Document) {
  const Response response =
      ProblemResponse(Error(ErrorCode::kForbidden, "needs \"write\"").WithHint("ask"), "id1");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"urn:millrace:error:7005\",\"title\":\"the token does not allow this\","
            "\"status\":403,\"detail\":\"needs \\\"write\\\" (ask)\",\"code\":\"MR7005\","
            "\"instance\":\"id1\"}");
}

TEST(Problem, FaultsOfOursShowNoMessage) {
  for (const ErrorCode code : {ErrorCode::kIoError, ErrorCode::kInternal, ErrorCode::kDiskFull}) {
    EXPECT_THAT(ProblemResponse(Error(code, "/var/lib/x.seg"), "").body, Not(HasSubstr("x.seg")));
  }
}

TEST(Problem, TellsWhenToComeBack) {
  EXPECT_EQ(ProblemResponse(Error(ErrorCode::kUnauthorized, ""), "").headers[0].name,
            "WWW-Authenticate");
  EXPECT_EQ(ProblemResponse(Error(ErrorCode::kUnavailable, ""), "").headers[0].name, "Retry-After");
}

TEST(Problem, EveryApiErrorHasAStatusOfItsOwn) {
  for (const ErrorCodeInfo& row : AllErrorCodes()) {
    const int number = static_cast<int>(row.code);
    if (number >= 7000 && number < 8000) {
      EXPECT_NE(HttpStatusOf(row.code), 500) << row.name;
    }
  }
}

TEST(Problem, TextThatIsNotUtf8IsReplaced) {
  EXPECT_THAT(ProblemResponse(Error(ErrorCode::kHttpBadRequest, "\xff"), "").body,
              HasSubstr("(not UTF-8)"));
}

}  // namespace
}  // namespace millrace::serve
