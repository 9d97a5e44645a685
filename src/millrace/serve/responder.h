#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/serve/request.h"

namespace millrace::serve {

/// A whole answer. The server adds Content-Length, Date, X-Request-Id and the security headers.
struct Response {
  int status = 200;
  std::string content_type = "application/json";  ///< Not sent when `body` is empty.
  std::string body;
  std::vector<HttpHeader> headers;
};

/// The content of an answer without an end: server-sent events. The connection owns it, pulls from
/// it on its own thread, holds a bounded number of its bytes, and destroys it when the client has
/// gone, the server stops or the stream has ended. Nothing here may block.
class EventSource {
 public:
  virtual ~EventSource() = default;

  /// Called once, before anything else. `wake` asks for a call of Next; it may be called from any
  /// thread, at any time, also after this object is gone.
  virtual void Start(std::function<void()> wake) = 0;

  struct Chunk {
    std::string bytes;        ///< Whole events; empty = nothing now, ask again after `wake`.
    bool is_end = false;      ///< No more follow: the stream is closed behind `bytes`.
    uint32_t gaps_count = 0;  ///< Gap events among `bytes`; for the metrics.
  };
  /// Returns what is there, up to about `bytes_max`: called whenever the client has taken what it
  /// was given, so a slow client just calls rarely.
  virtual Chunk Next(size_t bytes_max) = 0;
};

/// The right to answer one request, once, from any thread. Destroyed without an answer it sends
/// kInternal. Answers to a client that has gone are dropped.
class Responder {
 public:
  virtual ~Responder() = default;

  virtual void Send(Response response) = 0;
  /// Sends the problem document of `error`.
  virtual void Fail(const Error& error) = 0;
  /// Answers 200 with a stream of server-sent events.
  virtual void Stream(std::unique_ptr<EventSource> source) = 0;

  /// Becomes true when the client closes its connection while it waits for the answer, so that long
  /// work may be given up. Only on the thread that called the handler, before it returns.
  virtual std::shared_ptr<const std::atomic<bool>> WatchClient() = 0;
};

using ResponderPtr = std::unique_ptr<Responder>;

/// A responder for callbacks, which std::function wants to be copyable.
using SharedResponder = std::shared_ptr<Responder>;

}  // namespace millrace::serve
