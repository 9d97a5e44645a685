#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/serve/auth.h"
#include "millrace/serve/body_memory.h"
#include "millrace/serve/url.h"

namespace millrace::serve {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view NameOf(Method method);

struct HttpHeader {
  std::string name;  ///< Lower case in requests.
  std::string value;
};

/// One request as a handler sees it: routed, authenticated, its body complete and decompressed.
/// Plain data; the handler owns it and may keep it on any thread.
struct Request {
  std::string id;  ///< Chosen by the server; in logs, problem documents and X-Request-Id.
  Method method = Method::kGet;
  std::string path;                          ///< As it was sent, without the query.
  std::vector<std::string> path_parameters;  ///< Decoded, in the order of the route's template.
  QueryParameters query;
  std::vector<HttpHeader> headers;
  Principal principal;
  RequestBody body;

  /// The value of the first header of this lower-case name.
  std::optional<std::string_view> Header(std::string_view name) const;
};

using RequestPtr = std::unique_ptr<Request>;

/// The media type of a Content-Type value in lower case, without its parameters.
std::string MediaTypeOf(std::string_view content_type);

}  // namespace millrace::serve
