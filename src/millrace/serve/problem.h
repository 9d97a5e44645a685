#pragma once

#include <string_view>

#include "millrace/base/error.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

/// The HTTP status of an error that ends a request. Every code has one; those that are no fault of
/// the request are 500.
int HttpStatusOf(ErrorCode code);

/// The problem document (RFC 9457) of an error:
/// {"type":"urn:millrace:error:7005","title":...,"status":403,"detail":...,"code":"MR7005",
///  "instance":"<request id>"}. Errors that are no fault of the request show no message, which may
/// name files. Adds Retry-After where trying again later helps, and WWW-Authenticate to 401.
Response ProblemResponse(const Error& error, std::string_view request_id);

}  // namespace millrace::serve
