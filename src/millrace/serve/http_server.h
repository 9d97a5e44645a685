#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/result.h"
#include "millrace/serve/auth.h"
#include "millrace/serve/http_metrics.h"
#include "millrace/serve/http_options.h"
#include "millrace/serve/listen_address.h"
#include "millrace/serve/router.h"

namespace millrace::serve {

/// An HTTP/1.1 server: a fixed number of threads, each with an event loop and the connections that
/// came to it; no thread ever waits for one of them. Knows nothing of what its routes do. Owned by
/// the composition root; `router`, `authenticator`, `clock` and `metrics` outlive it.
class HttpServer {
 public:
  HttpServer(HttpServerOptions options, const Router& router, const Authenticator& authenticator,
             const Clock& clock, HttpMetrics& metrics);
  /// Stops without grace.
  ~HttpServer();

  /// Binds and begins to serve; once. Returns the addresses with their real ports.
  /// kConfigUnsafeListen for an address beyond loopback without tokens and without `insecure`,
  /// kConfigInvalidValue for malformed addresses and limits that contradict each other,
  /// kListenFailed.
  Result<std::vector<ListenAddress>> Start();

  /// Stops accepting, ends idle connections and event streams, lets requests finish for `grace`,
  /// then closes what is left and joins the threads. Responders may be used after that: in vain.
  void Stop(std::chrono::milliseconds grace);

 private:
  class Loops;

  const HttpServerOptions options_;
  const Router& router_;
  const Authenticator& authenticator_;
  const Clock& clock_;
  HttpMetrics& metrics_;
  std::unique_ptr<Loops> loops_;
};

}  // namespace millrace::serve
