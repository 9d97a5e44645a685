#pragma once

#include <expected>
#include <string>

#include "millrace/base/error.h"
#include "millrace/serve/connection_context.h"
#include "millrace/serve/http_parser.h"
#include "millrace/serve/request.h"

namespace millrace::serve {

/// A request that may go on to its handler: complete but for its body.
struct Admission {
  RequestPtr request;
  const Route* route = nullptr;  ///< None for OPTIONS, which is answered with `allow` alone.
  bool is_gzip = false;
  std::string allow;
};

/// Why a request may not go on.
struct Refusal {
  Error error;
  Rejection reason;
  std::string allow;  ///< For the Allow header of 405.
};

/// Checks everything that is known before the body: Host against DNS rebinding, path and query,
/// route, token and scope, Origin of writing requests, encoding and length of the body. Takes the
/// headers out of `head`. Where a token is required, requests without one learn nothing but that.
std::expected<Admission, Refusal> Admit(const ConnectionContext& context, RequestHead& head,
                                        std::string request_id);

}  // namespace millrace::serve
