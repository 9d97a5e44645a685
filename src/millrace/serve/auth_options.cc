#include "millrace/serve/auth_options.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace {

namespace serve {

namespace {

/// Takes the next word from the front of `text`; empty at its end.
std::string_view TakeWord(std::string_view& text, char separator) {
  text.remove_prefix(std::min(text.find_first_not_of(separator), text.size()));
  const std::string_view word = text.substr(0, text.find(separator));
  text.remove_prefix(word.size());
  return word;
}

bool AddScope(std::string_view word, Scopes& scopes) {
  if (word == "read") {
    scopes.read = true;
  } else if (word == "write") {
    scopes.write = true;
  } else if (word == "admin") {
    scopes.admin = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<TokenEntry> ParseTokenEntry(std::string_view text) {
  TokenEntry entry;
  entry.name = TakeWord(text, ' ');
  std::string_view scopes = TakeWord(text, ' ');
  entry.sha256_hex = TakeWord(text, ' ');
  bool valid = !scopes.empty() && text.find_first_not_of(' ') == std::string_view::npos;
  while (valid && !scopes.empty()) {
    valid = AddScope(TakeWord(scopes, '+'), entry.scopes);
  }
  if (!valid || !Authenticator::Create({entry})) {
    // Not what was got: it may be the token itself.
    return Err(ErrorCode::kConfigInvalidValue,
               "expected 'name scopes sha256' with scopes such as read+write and 64 lower-case "
               "digits");
  }
  return entry;
}

std::string ScopesText(const Scopes& scopes) {
  std::string text;
  const auto add = [&](bool has, std::string_view name) {
    if (has) {
      text += fmt::format("{}{}", text.empty() ? "" : "+", name);
    }
  };
  add(scopes.read, "read");
  add(scopes.write, "write");
  add(scopes.admin, "admin");
  return text;
}

const OptionTable<AuthOptions>& AuthOptionTable() {
  static const OptionTable<AuthOptions> kTable = [] {
    OptionTable<AuthOptions> table;
    table
        .Add("auth.tokens", &AuthOptions::tokens,
             "Bearer tokens that clients need, as `name scopes sha256` with scopes of read, write "
             "and admin joined by +; `millrace token` makes one.")
        .Check([](const AuthOptions& options) -> Status {
          MR_TRY(Authenticator::Create(options.tokens));
          return {};
        });
    return table;
  }();
  return kTable;
}

}  // namespace serve

Result<std::vector<serve::TokenEntry>> OptionCodec<std::vector<serve::TokenEntry>>::Parse(
    const Setting& setting) {
  std::vector<serve::TokenEntry> tokens;
  for (const std::string& item : setting.is_list ? setting.items : ParseOptionList(setting.text)) {
    MR_ASSIGN(auto entry, serve::ParseTokenEntry(item));
    tokens.push_back(std::move(entry));
  }
  return tokens;
}

std::string OptionCodec<std::vector<serve::TokenEntry>>::Print(
    const std::vector<serve::TokenEntry>& tokens) {
  std::string text;
  for (const serve::TokenEntry& token : tokens) {
    text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", token.name,
                        serve::ScopesText(token.scopes), kSecretDots);
  }
  return text;
}

}  // namespace millrace
