#include "millrace/serve/auth.h"

#include <set>

#include <gtest/gtest.h>

namespace millrace::serve {
namespace {

TEST(Auth, HashIsSha256) {
  EXPECT_EQ(HashToken("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Auth, TokensAreLongAndDiffer) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    tokens.insert(GenerateToken());
    EXPECT_EQ(tokens.begin()->size(), 46U);
    EXPECT_TRUE(tokens.begin()->starts_with("mr_"));
  }
  EXPECT_EQ(tokens.size(), 100U);
}

TEST(Auth, WithoutTokensEverybodyMayDoEverything) {
  const auto open = Authenticator::Create({});
  ASSERT_TRUE(open);
  EXPECT_TRUE(open->Authenticate(std::nullopt)->scopes.admin);
}

TEST(Auth, ReadsBearerTokensOnly) {
  const auto closed = Authenticator::Create(
      {{.name = "t", .sha256_hex = HashToken("secret"), .scopes = {.read = true}}});
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->Authenticate("Bearer secret")->name, "t");
  EXPECT_EQ(closed->Authenticate("bearer secret")->name, "t");
  for (const char* wrong : {"", "Bearer", "Bearer ", "secret", "Basic secret", "Bearer  secret",
                            "Bearer secret ", "Bearer Secret"}) {
    EXPECT_EQ(closed->Authenticate(wrong).error().code(), ErrorCode::kUnauthorized) << wrong;
  }
}

TEST(Auth, AdminIncludesAllScopes) {
  const auto closed = *Authenticator::Create(
      {{.name = "t", .sha256_hex = HashToken("x"), .scopes = {.admin = true}}});
  const Scopes scopes = closed.Authenticate("Bearer x")->scopes;
  EXPECT_TRUE(scopes.read && scopes.write && scopes.admin);
}

TEST(Auth, RefusesMalformedEntries) {
  const std::string hash = HashToken("x");
  const auto create = [](const std::vector<TokenEntry>& entries) {
    const auto made = Authenticator::Create(entries);
    return made ? ErrorCode::kInternal : made.error().code();
  };
  EXPECT_EQ(create({{"", hash, {}}}), ErrorCode::kConfigInvalidValue);
  EXPECT_EQ(create({{"a", hash.substr(1), {}}}), ErrorCode::kConfigInvalidValue);
  EXPECT_EQ(create({{"a", std::string(64, 'G'), {}}}), ErrorCode::kConfigInvalidValue);
  EXPECT_EQ(create({{"a", hash, {}}, {"b", hash, {}}}), ErrorCode::kConfigInvalidValue);
  EXPECT_EQ(create({{"a", hash, {}}, {"a", HashToken("y"), {}}}), ErrorCode::kConfigInvalidValue);
}

}  // namespace
}  // namespace millrace::serve
