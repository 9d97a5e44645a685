#include "millrace/serve/connection_responder.h"

#include <utility>

#include "millrace/serve/http_connection.h"

namespace millrace::serve {

ConnectionResponder::ConnectionResponder(std::shared_ptr<Mailbox> mailbox,
                                         std::weak_ptr<HttpConnection> connection, uint64_t number)
    : mailbox_(std::move(mailbox)), connection_(std::move(connection)), number_(number) {}

ConnectionResponder::~ConnectionResponder() {
  if (!is_used_) {
    Fail(Error(ErrorCode::kInternal, "the request was dropped without an answer"));
  }
}

void ConnectionResponder::Send(Response response) {
  Reach([number = number_, response = std::move(response)](HttpConnection& connection) mutable {
    connection.Answer(number, std::move(response));
  });
}

void ConnectionResponder::Fail(const Error& error) {
  Reach([number = number_, error](HttpConnection& connection) { connection.Fail(number, error); });
}

void ConnectionResponder::Stream(std::unique_ptr<EventSource> source) {
  // std::function wants a copyable capture.
  auto shared = std::make_shared<std::unique_ptr<EventSource>>(std::move(source));
  Reach([number = number_, shared](HttpConnection& connection) {
    connection.AnswerStream(number, std::move(*shared));
  });
}

std::shared_ptr<const std::atomic<bool>> ConnectionResponder::WatchClient() {
  const auto connection = connection_.lock();
  return connection != nullptr ? connection->WatchClient(number_)
                               : std::make_shared<std::atomic<bool>>(true);
}

void ConnectionResponder::Reach(std::function<void(HttpConnection&)> function) {
  if (std::exchange(is_used_, true)) {
    return;
  }
  auto reach = [connection = connection_, function = std::move(function)] {
    if (const auto alive = connection.lock()) {
      function(*alive);
    }
  };
  if (mailbox_->IsCurrent()) {
    reach();
  } else {
    mailbox_->Post(std::move(reach));
  }
}

}  // namespace millrace::serve
