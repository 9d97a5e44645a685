#include "millrace/serve/router.h"

#include <gtest/gtest.h>

namespace millrace::serve {
namespace {

RouteMatch Find(const Router& router, Method method, std::string_view path) {
  return router.Find(method, *SplitUrlPath(path));
}

Router MakeRouter() {
  Router router;
  router.Add(Method::kGet, "/", Access::kRead, nullptr);
  router.Add(Method::kGet, "/a/{x}/c", Access::kRead, nullptr);
  router.Add(Method::kGet, "/a/b/{y}", Access::kRead, nullptr);
  router.Add(Method::kPost, "/a/{x}/c", Access::kWrite, nullptr);
  return router;
}

TEST(Router, LiteralsWinOverParameters) {
  const Router router = MakeRouter();
  EXPECT_EQ(Find(router, Method::kGet, "/").route, &router.routes()[0]);
  const auto parameter = Find(router, Method::kGet, "/a/z/c");
  EXPECT_EQ(parameter.route, &router.routes()[1]);
  EXPECT_EQ(parameter.path_parameters, std::vector<std::string>{"z"});
  EXPECT_EQ(Find(router, Method::kGet, "/a/b/c").route, &router.routes()[2]);
  EXPECT_EQ(Find(router, Method::kGet, "/a//c").kind, RouteMatch::Kind::kNotFound);
  EXPECT_EQ(Find(router, Method::kGet, "/a/z").kind, RouteMatch::Kind::kNotFound);
}

TEST(Router, TellsWhatIsAllowed) {
  const Router router = MakeRouter();
  EXPECT_EQ(Find(router, Method::kHead, "/a/z/c").route, &router.routes()[1]);
  const auto wrong = Find(router, Method::kDelete, "/a/z/c");
  EXPECT_EQ(wrong.kind, RouteMatch::Kind::kMethodNotAllowed);
  EXPECT_EQ(wrong.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(Find(router, Method::kOptions, "/").kind, RouteMatch::Kind::kOptions);
}

}  // namespace
}  // namespace millrace::serve
