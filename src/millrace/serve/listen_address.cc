#include "millrace/serve/listen_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool IsLoopbackAddress(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsAddress(const std::string& host) {
  in6_addr space{};
  return inet_pton(AF_INET, host.c_str(), &space) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &space) == 1;
}

/// Splits "host:port", "[v6]:port" and both without the port. False when malformed.
bool SplitHostPort(std::string_view text, std::string_view& host, std::string_view& port) {
  port = {};
  size_t end = text.find(':');
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return false;
    }
    host = text.substr(1, close - 1);
    end = close + 1;
  } else {
    host = text.substr(0, end);
  }
  if (end < text.size()) {
    if (text[end] != ':') {
      return false;
    }
    port = text.substr(end + 1);
  }
  return !host.empty() && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<ListenAddress> ListenAddress::Parse(std::string_view text) {
  std::string_view host;
  std::string_view port;
  ListenAddress address;
  const bool is_split = SplitHostPort(text, host, port);
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  address.host = host == "localhost" ? "127.0.0.1" : host == "*" ? "::" : std::string(host);
  if (!is_split || port.empty() || failure != std::errc() || end != port.data() + port.size() ||
      !IsAddress(address.host)) {
    return Err(ErrorCode::kConfigInvalidValue,
               fmt::format("'{}' is not an address to listen on, such as 127.0.0.1:8080 or "
                           "[::1]:8080",
                           text));
  }
  return address;
}

bool ListenAddress::is_loopback() const { return IsLoopbackAddress(host); }

std::string ListenAddress::ToString() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

HostPolicy::HostPolicy(bool is_open, std::vector<std::string> names)
    : is_open_(is_open), names_(std::move(names)) {
  for (std::string& name : names_) {
    name = LowerCase(name);
  }
}

bool HostPolicy::Allows(std::string_view host) const {
  std::string_view name;
  std::string_view port;
  if (!SplitHostPort(host, name, port)) {
    return false;
  }
  const std::string lower = LowerCase(name);
  return is_open_ || lower == "localhost" || IsLoopbackAddress(lower) ||
         std::ranges::find(names_, lower) != names_.end();
}

}  // namespace millrace::serve
