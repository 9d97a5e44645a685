#include "millrace/serve/auth.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "millrace/base/rng.h"

namespace millrace::serve {

namespace {

constexpr std::string_view kTokenPrefix = "mr_";
constexpr size_t kTokenBytes = 32;
constexpr size_t kTokenTextMax = 512;

/// RFC 4648 section 5, without padding.
std::string Base64Url(const std::array<unsigned char, kTokenBytes>& bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int bits_count = 0;
  for (const unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    bits_count += 8;
    while (bits_count >= 6) {
      bits_count -= 6;
      text.push_back(kAlphabet[bits >> bits_count & 63]);
    }
  }
  text.push_back(kAlphabet[bits << (6 - bits_count) & 63]);
  return text;
}

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string GenerateToken() {
  std::array<unsigned char, kTokenBytes> bytes{};
  FillRandomBytes(bytes.data(), bytes.size());
  return fmt::format("{}{}", kTokenPrefix, Base64Url(bytes));
}

Authenticator::Digest Authenticator::DigestOf(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::string HashToken(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

Result<Authenticator> Authenticator::Create(const std::vector<TokenEntry>& entries) {
  Authenticator authenticator;
  for (const TokenEntry& entry : entries) {
    if (entry.name.empty() || entry.sha256_hex.size() != 2 * sizeof(Digest) ||
        !std::ranges::all_of(entry.sha256_hex, IsHexDigit)) {
      return Err(
          ErrorCode::kConfigInvalidValue,
          fmt::format("token '{}': needs a name and 64 lower-case digits of SHA-256", entry.name));
    }
    Token token;
    for (size_t i = 0; i < token.digest.size(); ++i) {
      token.digest[i] =
          static_cast<unsigned char>(std::stoi(entry.sha256_hex.substr(2 * i, 2), nullptr, 16));
    }
    for (const Token& other : authenticator.tokens_) {
      if (other.principal.name == entry.name || other.digest == token.digest) {
        return Err(ErrorCode::kConfigInvalidValue,
                   fmt::format("token '{}' repeats the name or hash of another", entry.name));
      }
    }
    token.principal = {.name = entry.name, .scopes = entry.scopes};
    if (entry.scopes.admin) {
      token.principal.scopes = {.read = true, .write = true, .admin = true};
    }
    authenticator.tokens_.push_back(std::move(token));
  }
  return authenticator;
}

Result<Principal> Authenticator::Authenticate(std::optional<std::string_view> authorization) const {
  if (!requires_token()) {
    return Principal{.name = "", .scopes = {.read = true, .write = true, .admin = true}};
  }
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = authorization.value_or("");
  const bool is_bearer =
      value.size() > kScheme.size() && value.size() <= kTokenTextMax &&
      std::ranges::equal(value.substr(0, kScheme.size()), kScheme,
                         [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  if (!is_bearer) {
    return Err(ErrorCode::kUnauthorized, "the request has no bearer token");
  }
  const Digest digest = DigestOf(value.substr(kScheme.size()));
  const Token* match = nullptr;
  for (const Token& token : tokens_) {
    if (CRYPTO_memcmp(token.digest.data(), digest.data(), digest.size()) == 0) {
      match = &token;
    }
  }
  if (match == nullptr) {
    return Err(ErrorCode::kUnauthorized, "the bearer token is not known");
  }
  return match->principal;
}

}  // namespace millrace::serve
