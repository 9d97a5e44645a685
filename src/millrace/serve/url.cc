#include "millrace/serve/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "millrace/base/utf8.h"

namespace millrace::serve {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

Result<std::string> PercentDecode(std::string_view text, bool in_query) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Err(ErrorCode::kHttpBadRequest, "the address holds a broken % escape");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && in_query) {
      c = ' ';
    }
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (c == '\0' || (is_control && !in_query)) {
      return Err(ErrorCode::kHttpBadRequest, "the address holds a control character");
    }
    decoded.push_back(c);
  }
  if (!IsValidUtf8(decoded)) {
    return Err(ErrorCode::kHttpBadRequest, "the address is not UTF-8");
  }
  return decoded;
}

void AppendPercentEncoded(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
}

Result<std::vector<std::string>> SplitUrlPath(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.starts_with('/')) {
    return Err(ErrorCode::kHttpBadRequest, "the path does not begin with a slash");
  }
  path.remove_prefix(1);
  while (!path.empty() || !segments.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    auto segment = PercentDecode(path.substr(0, end), false);
    if (!segment) {
      return std::unexpected(std::move(segment).error());
    }
    segments.push_back(*std::move(segment));
    if (segments.back() == "." || segments.back() == "..") {
      return Err(ErrorCode::kHttpBadRequest, "the path holds a relative segment");
    }
    if (end == path.size()) {
      break;
    }
    path.remove_prefix(end + 1);
  }
  return segments;
}

Result<QueryParameters> QueryParameters::Parse(std::string_view query) {
  QueryParameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) {
      continue;
    }
    if (parameters.pairs_.size() == kCountMax) {
      return Err(ErrorCode::kHttpBadRequest,
                 fmt::format("more than {} query parameters", kCountMax));
    }
    const size_t equals = std::min(pair.find('='), pair.size());
    MR_ASSIGN(auto name, PercentDecode(pair.substr(0, equals), true));
    MR_ASSIGN(auto value, PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    if (name.empty()) {
      return Err(ErrorCode::kHttpBadRequest, "a query parameter has no name");
    }
    parameters.pairs_.push_back({.name = std::move(name), .value = std::move(value)});
  }
  return parameters;
}

Result<std::optional<std::string_view>> QueryParameters::Single(std::string_view name) const {
  std::optional<std::string_view> value;
  for (const Pair& pair : pairs_) {
    if (pair.name != name) {
      continue;
    }
    if (value) {
      return Err(ErrorCode::kHttpBadRequest,
                 fmt::format("the query parameter {} occurs more than once", name));
    }
    value = pair.value;
  }
  return value;
}

Result<uint64_t> QueryParameters::SingleNumber(std::string_view name, uint64_t absent, uint64_t min,
                                               uint64_t max) const {
  MR_ASSIGN(const auto text, Single(name));
  if (!text) {
    return absent;
  }
  uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [read, failure] = std::from_chars(text->data(), end, number);
  if (failure != std::errc() || read != end || number < min || number > max) {
    return Err(
        ErrorCode::kHttpBadRequest,
        fmt::format("the query parameter {} must be a number from {} to {}", name, min, max));
  }
  return number;
}

Result<bool> QueryParameters::SingleFlag(std::string_view name) const {
  MR_ASSIGN(const auto text, Single(name));
  if (!text || *text == "false") {
    return false;
  }
  if (*text != "true") {
    return Err(ErrorCode::kHttpBadRequest,
               fmt::format("the query parameter {} must be true or false", name));
  }
  return true;
}

Status QueryParameters::CheckNames(std::initializer_list<std::string_view> names) const {
  for (const Pair& pair : pairs_) {
    if (std::ranges::find(names, pair.name) == names.end()) {
      return Err(ErrorCode::kHttpBadRequest,
                 fmt::format("the query parameter {} is not known here", pair.name));
    }
  }
  return {};
}

}  // namespace millrace::serve
