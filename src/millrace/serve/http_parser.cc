#include "millrace/serve/http_parser.h"

#include <algorithm>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>

#include "millrace/base/check.h"

namespace millrace::serve {

namespace http = boost::beast::http;

namespace {

using BeastError = boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view View(BeastView view) { return {view.data(), view.size()}; }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

Method MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::options:
      return Method::kOptions;
    default:
      return Method::kOther;
  }
}

std::unexpected<Error> BadRequest(std::string_view what) {
  return Err(ErrorCode::kHttpBadRequest, std::string(what));
}

/// What Beast is lenient about in the raw text of a head.
Status CheckRawHead(std::string_view head) {
  for (size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\0') {
      return BadRequest("the head holds a NUL character");
    }
    if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) {
      return BadRequest("the head holds a bare CR");
    }
    if (c != '\n') {
      continue;
    }
    if (i == 0 || head[i - 1] != '\r') {
      return BadRequest("the head holds a bare LF");
    }
    if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) {
      return BadRequest("a header is folded over lines");
    }
  }
  return {};
}

Status CheckHeaders(const RequestHead& head) {
  size_t lengths = 0;
  size_t encodings = 0;
  size_t hosts = 0;
  for (const HttpHeader& header : head.headers) {
    if (header.name == "content-length") {
      ++lengths;
      if (header.value.contains(',')) {
        return BadRequest("Content-Length is a list");
      }
    } else if (header.name == "transfer-encoding") {
      ++encodings;
      if (LowerCase(header.value) != "chunked") {
        return BadRequest("Transfer-Encoding is not chunked");
      }
    } else if (header.name == "host") {
      ++hosts;
    } else if (header.name == "expect" && LowerCase(header.value) != "100-continue") {
      return BadRequest("Expect is not 100-continue");
    }
  }
  if (lengths + encodings > 1) {
    return BadRequest("the length of the body is given more than once");
  }
  if (encodings > 0 && (head.is_http_1_0 || !head.is_chunked)) {
    return BadRequest("Transfer-Encoding is not valid here");
  }
  if (hosts > 1 || (hosts == 0 && !head.is_http_1_0)) {
    return BadRequest("there must be one Host header");
  }
  return {};
}

}  // namespace

size_t FindHeadEnd(std::string_view bytes, size_t from) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const size_t start = from < kEnd.size() ? 0 : from - kEnd.size() + 1;
  const size_t found = bytes.find(kEnd, start);
  return found == std::string_view::npos ? found : found + kEnd.size();
}

class RequestParser::Machine final : public http::basic_parser<true> {
 public:
  Machine() {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

  RequestHead head;
  bool in_head = true;
  bool has_too_many_headers = false;
  const std::function<Status(std::string_view)>* sink = nullptr;
  Status sink_status;

 private:
  void on_request_impl(http::verb verb, BeastView, BeastView target, int version,
                       BeastError& error) override {
    error = {};
    head.method = MethodOf(verb);
    head.target = View(target);
    head.is_http_1_0 = version == 10;
  }

  void on_response_impl(int, BeastView, int, BeastError& error) override {
    error = http::error::bad_version;
  }

  void on_field_impl(http::field, BeastView name, BeastView value, BeastError& error) override {
    error = {};
    if (!in_head) {
      return;
    }
    if (head.headers.size() == kHeadersMax) {
      has_too_many_headers = true;
      error = http::error::header_limit;
      return;
    }
    head.headers.push_back({.name = LowerCase(View(name)), .value = std::string(View(value))});
    if (head.headers.back().name == "expect") {
      head.expects_continue = true;
    }
  }

  void on_header_impl(BeastError& error) override { error = {}; }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError& error) override {
    error = {};
  }

  std::size_t on_body_impl(BeastView body, BeastError& error) override {
    return Deliver(body, error);
  }

  void on_chunk_header_impl(std::uint64_t, BeastView, BeastError& error) override { error = {}; }

  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, BeastError& error) override {
    return Deliver(body, error);
  }

  void on_finish_impl(BeastError& error) override { error = {}; }

  std::size_t Deliver(BeastView body, BeastError& error) {
    error = {};
    sink_status = (*sink)(View(body));
    if (!sink_status) {
      error = http::error::body_limit;
    }
    return body.size();
  }
};

RequestParser::RequestParser() : machine_(std::make_unique<Machine>()) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

Result<RequestHead> RequestParser::ParseHead(std::string_view head) {
  MR_TRY(CheckRawHead(head));
  Machine& machine = *machine_;
  BeastError error;
  machine.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (machine.has_too_many_headers) {
    return Err(ErrorCode::kHeadersTooLarge, fmt::format("more than {} headers", kHeadersMax));
  }
  if (error || !machine.is_header_done()) {
    return BadRequest(error ? error.message() : "the request head is not valid");
  }
  machine.in_head = false;
  machine.head.is_chunked = machine.chunked();
  if (const auto length = machine.content_length(); length) {
    machine.head.content_length = *length;
  }
  machine.head.keeps_alive = machine.keep_alive();
  MR_TRY(CheckHeaders(machine.head));
  return std::move(machine.head);
}

Result<size_t> RequestParser::ParseChunks(std::string_view bytes,
                                          const std::function<Status(std::string_view)>& sink) {
  Machine& machine = *machine_;
  machine.eager(true);
  machine.sink = &sink;
  BeastError error;
  const size_t consumed = machine.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  machine.sink = nullptr;
  MR_TRY(std::exchange(machine.sink_status, {}));
  if (error && error != http::error::need_more) {
    return BadRequest(error.message());
  }
  return consumed;
}

bool RequestParser::chunks_done() const { return machine_->is_done(); }

}  // namespace millrace::serve
