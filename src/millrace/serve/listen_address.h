#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::serve {

/// An IP address and a port to listen on; port 0 lets the system choose.
struct ListenAddress {
  std::string host;  ///< In its textual form, without brackets.
  uint16_t port = 0;

  /// Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or "*:8080". kConfigInvalidValue.
  static Result<ListenAddress> Parse(std::string_view text);

  bool is_loopback() const;
  /// With brackets where they are needed.
  std::string ToString() const;
};

/// Checks the Host header against DNS rebinding: a page of any site can point its own name at
/// 127.0.0.1 and then talk to a server that trusts everyone on this machine.
class HostPolicy {
 public:
  /// Open = every name is fine (the server is reachable by names it does not know, and asks for
  /// tokens). Otherwise localhost, loopback addresses and `names`.
  HostPolicy(bool is_open, std::vector<std::string> names);

  /// Whether a request for `host`, with or without a port, may be served.
  bool Allows(std::string_view host) const;

 private:
  bool is_open_;
  std::vector<std::string> names_;
};

}  // namespace millrace::serve
