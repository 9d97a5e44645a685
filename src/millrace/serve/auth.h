#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::serve {

/// What a token allows; each scope stands alone, except that admin includes the others.
struct Scopes {
  bool read = false;
  bool write = false;
  bool admin = false;
};

/// Who sends a request.
struct Principal {
  std::string name;  ///< Of the token; empty = anonymous.
  Scopes scopes;
};

/// A token as configured: never the token itself, only its hash. Tokens have 256 random bits, so
/// that a plain SHA-256 cannot be searched.
struct TokenEntry {
  std::string name;
  std::string sha256_hex;  ///< Of the whole token text, 64 digits.
  Scopes scopes;
};

/// Makes a token, "mr_" and 43 base64url characters; to be shown once.
std::string GenerateToken();
/// The hash to configure for a token.
std::string HashToken(std::string_view token);

/// Decides who may call. Immutable, thread-safe.
class Authenticator {
 public:
  /// Without entries everybody is anonymous and has every scope. kConfigInvalidValue for a
  /// malformed hash, an empty or repeated name, or the hash of another entry.
  static Result<Authenticator> Create(const std::vector<TokenEntry>& entries);

  bool requires_token() const { return !tokens_.empty(); }

  /// Reads an Authorization header (RFC 6750). Takes the same time for every wrong token.
  /// kUnauthorized when a token is required and none, or an unknown one, is given.
  Result<Principal> Authenticate(std::optional<std::string_view> authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Token {
    Digest digest{};
    Principal principal;
  };

  static Digest DigestOf(std::string_view token);

  std::vector<Token> tokens_;
};

}  // namespace millrace::serve
