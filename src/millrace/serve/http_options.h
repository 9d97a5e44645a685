#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/serve/body_receiver.h"

namespace millrace::serve {

/// How the HTTP server listens and what it allows. Defaults suit one machine.
struct HttpServerOptions {
  std::vector<std::string> listen{"127.0.0.1:8080"};  ///< Texts of ListenAddress.
  bool insecure = false;  ///< Allows addresses beyond loopback without tokens.
  /// Names, besides localhost and loopback addresses, under which clients may address the server.
  /// Empty = any, when it listens beyond loopback.
  std::vector<std::string> host_names;

  int threads_count = 2;
  size_t connections_max = 1024;
  size_t header_bytes_max = size_t{16} << 10;
  BodyLimits body;
  size_t body_memory_bytes = size_t{256} << 20;  ///< Over all request bodies; see BodyMemory.

  std::chrono::milliseconds head_timeout{10'000};  ///< From its first byte to its last.
  /// Time for a body of any size, to which one second is added per `body_bytes_per_second_min`
  /// received bytes; as mod_reqtimeout of Apache httpd.
  std::chrono::milliseconds body_timeout{60'000};
  uint64_t body_bytes_per_second_min = 10'000;
  std::chrono::milliseconds memory_timeout{5'000};  ///< Waiting for memory; then 503.
  std::chrono::milliseconds idle_timeout{75'000};   ///< Between requests.
  std::chrono::milliseconds write_timeout{60'000};  ///< Without progress of a write.
  std::chrono::milliseconds close_timeout{2'000};   ///< Reading what is left before a close.

  size_t event_chunk_bytes = size_t{64} << 10;  ///< What one event stream holds unsent, about.
  std::chrono::milliseconds event_heartbeat{15'000};
  /// How often timeouts are looked at.
  std::chrono::milliseconds tick{250};
};

/// http.* and insecure: what a user may set.
const OptionTable<HttpServerOptions>& HttpOptionTable();

/// Checks what options together must keep. kConfigUnsafeListen for an address beyond loopback
/// without tokens and without `insecure`, else kConfigInvalidValue.
Status CheckHttpOptions(const HttpServerOptions& options, bool requires_token);

/// Whether others than this machine can reach an address.
bool IsBeyondLoopback(const HttpServerOptions& options);

}  // namespace millrace::serve
