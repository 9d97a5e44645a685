#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/ids.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

/// What the connection adds to a Response.
struct ResponseFraming {
  std::optional<uint64_t> content_length;  ///< None: the body ends with the connection.
  bool keeps_alive = true;
  std::string_view request_id;
  Micros now = 0;  ///< Wall clock, for Date.
};

/// Renders status line and headers, with the blank line. Security headers that `response` has
/// itself are not added again. A header with a line break is left out: it would split the response.
std::string RenderHead(const Response& response, const ResponseFraming& framing);

/// The reason phrase of RFC 9110 section 15; empty for others.
std::string_view ReasonOf(int status);

}  // namespace millrace::serve
