#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "millrace/serve/byte_stream.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

class HttpConnection;

/// The right to answer request `number` of a connection, held outside the connection's thread.
class ConnectionResponder final : public Responder {
 public:
  ConnectionResponder(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<HttpConnection> connection,
                      uint64_t number);
  ~ConnectionResponder() override;

  void Send(Response response) override;
  void Fail(const Error& error) override;
  void Stream(std::unique_ptr<EventSource> source) override;
  std::shared_ptr<const std::atomic<bool>> WatchClient() override;

 private:
  /// Calls `function` on the connection's thread, if this is the first answer and it is there.
  void Reach(std::function<void(HttpConnection&)> function);

  const std::shared_ptr<Mailbox> mailbox_;
  const std::weak_ptr<HttpConnection> connection_;
  const uint64_t number_;
  bool is_used_ = false;
};

}  // namespace millrace::serve
