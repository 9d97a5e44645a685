#include "millrace/serve/auth_options.h"

#include <gtest/gtest.h>

namespace millrace::serve {
namespace {

AuthOptions Read(const std::string& yaml, std::string& errors_text,
                 std::vector<OptionReading>* readings = nullptr) {
  OptionSources sources;
  std::vector<ProjectError> errors;
  sources.AddYaml(yaml, "m.yaml", errors);
  const AuthOptions options = AuthOptionTable().Read(sources, errors, readings);
  errors_text.clear();
  for (const ProjectError& error : errors) {
    errors_text += error.ToString() + "\n";
  }
  return options;
}

TEST(AuthOptions, ReadNamesScopesAndHashes) {
  std::string errors;
  std::vector<OptionReading> readings;
  const std::string hash = HashToken("secret");
  const AuthOptions options = Read("auth:\n  tokens:\n    - collector write " + hash +
                                       "\n    - ops  read+admin " + HashToken("other") + "\n",
                                   errors, &readings);
  EXPECT_EQ(errors, "");
  ASSERT_EQ(options.tokens.size(), 2U);
  EXPECT_EQ(options.tokens[0].name, "collector");
  EXPECT_EQ(options.tokens[0].sha256_hex, hash);
  EXPECT_TRUE(options.tokens[0].scopes.write);
  EXPECT_FALSE(options.tokens[0].scopes.read);
  EXPECT_TRUE(options.tokens[1].scopes.admin);
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].text, "collector write ......, ops read+admin ......");
}

TEST(AuthOptions, RefuseMalformedTokensWithoutShowingThem) {
  const std::vector<std::string> items{"collector write", "collector write hunter2",
                                       "collector wriet " + HashToken("x"),
                                       "collector write " + HashToken("x") + " more", "hunter2"};
  for (const std::string& item : items) {
    std::string errors;
    const AuthOptions options = Read("auth: {tokens: ['" + item + "']}", errors);
    EXPECT_TRUE(options.tokens.empty()) << item;
    EXPECT_NE(errors.find("m.yaml:1:8: MR1003: auth.tokens: expected 'name scopes sha256'"),
              std::string::npos)
        << errors;
    EXPECT_EQ(errors.find("hunter2"), std::string::npos) << errors;
  }
}

TEST(AuthOptions, RefuseRepeatedNames) {
  std::string errors;
  (void)Read("auth: {tokens: ['a read " + HashToken("x") + "', 'a read " + HashToken("y") + "']}",
             errors);
  EXPECT_NE(errors.find("repeats the name or hash"), std::string::npos) << errors;
}

}  // namespace
}  // namespace millrace::serve
