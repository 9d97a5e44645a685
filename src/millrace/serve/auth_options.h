#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/serve/auth.h"

namespace millrace::serve {

struct AuthOptions {
  std::vector<TokenEntry> tokens;
};

/// auth.tokens.
const OptionTable<AuthOptions>& AuthOptionTable();

/// Reads "name scopes sha256": scopes are read, write and admin, joined by "+".
/// kConfigInvalidValue.
Result<TokenEntry> ParseTokenEntry(std::string_view text);

/// "read+write".
std::string ScopesText(const Scopes& scopes);

}  // namespace millrace::serve

namespace millrace {

/// One item per token; the hash prints as dots, because who knows it can search for a weak token.
template <>
struct OptionCodec<std::vector<serve::TokenEntry>> {
  static constexpr std::string_view kType = "list";
  static Result<std::vector<serve::TokenEntry>> Parse(const Setting& setting);
  static std::string Print(const std::vector<serve::TokenEntry>& tokens);
};

}  // namespace millrace
