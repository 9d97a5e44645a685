#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/serve/request.h"

namespace millrace::serve {

/// The head of one request: its line and its headers.
struct RequestHead {
  Method method = Method::kOther;
  std::string target;
  bool is_http_1_0 = false;
  std::vector<HttpHeader> headers;  ///< Names in lower case.
  std::optional<uint64_t> content_length;
  bool is_chunked = false;
  bool keeps_alive = false;
  bool expects_continue = false;

  bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
};

/// The offset behind the blank line that ends a request head, or npos. `from` is how much of
/// `bytes` an earlier call has seen.
size_t FindHeadEnd(std::string_view bytes, size_t from);

/// Reads one HTTP/1.x request from bytes, strictly: whatever two servers could read in two ways is
/// refused (RFC 9112 section 11.2). Boost.Beast parses; obs-fold, bare CR and LF, repeated
/// Content-Length and any Transfer-Encoding but "chunked" are refused before or after it.
class RequestParser {
 public:
  static constexpr size_t kHeadersMax = 100;

  RequestParser();
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// Parses a whole head, as FindHeadEnd delimits it. kHttpBadRequest or kHeadersTooLarge.
  Result<RequestHead> ParseHead(std::string_view head);

  /// Decodes a chunked body: calls `sink` with pieces of content and returns how many bytes were
  /// consumed; the rest must come again with more behind it. kHttpBadRequest, or the error of
  /// `sink`.
  Result<size_t> ParseChunks(std::string_view bytes,
                             const std::function<Status(std::string_view)>& sink);
  /// True behind the last chunk and its trailers, which are ignored.
  bool chunks_done() const;

 private:
  class Machine;

  std::unique_ptr<Machine> machine_;
};

}  // namespace millrace::serve
