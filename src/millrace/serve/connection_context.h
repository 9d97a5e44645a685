#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "millrace/base/clock.h"
#include "millrace/serve/auth.h"
#include "millrace/serve/body_memory.h"
#include "millrace/serve/http_metrics.h"
#include "millrace/serve/http_options.h"
#include "millrace/serve/listen_address.h"
#include "millrace/serve/router.h"

namespace millrace::serve {

/// What all connections of a server share. Outlives them.
struct ConnectionContext {
  const HttpServerOptions& options;
  const Router& router;
  const Authenticator& authenticator;
  const HostPolicy& host_policy;
  const Clock& clock;
  HttpMetrics& metrics;
  std::shared_ptr<BodyMemory> memory;
  uint32_t server_tag;  ///< Random; makes request ids differ between runs.
  std::atomic<uint64_t> requests_count{0};
};

}  // namespace millrace::serve
