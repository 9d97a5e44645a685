#include "millrace/serve/http_connection.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "millrace/serve/connection_responder.h"
#include "millrace/serve/problem.h"
#include "millrace/serve/response_head.h"

namespace millrace::serve {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kHeartbeat = ":\n\n";
constexpr int kStatusOfAborted = 499;  // for the metrics, as nginx counts them

}  // namespace

void HttpConnection::Input::Compact() {
  std::memmove(bytes.get(), bytes.get() + begin, end - begin);
  end -= begin;
  begin = 0;
}

HttpConnection::HttpConnection(ConnectionContext& context, std::unique_ptr<ByteStream> stream,
                               std::shared_ptr<Mailbox> mailbox)
    : context_(context), stream_(std::move(stream)), mailbox_(std::move(mailbox)) {
  input_.capacity = context.options.header_bytes_max;
  input_.bytes = std::make_unique_for_overwrite<char[]>(input_.capacity);
  ++context_.metrics.connections;
  ++context_.metrics.connections_total;
}

HttpConnection::~HttpConnection() {
  CloseNow();
  --context_.metrics.connections;
}

void HttpConnection::Start() {
  stream_->SetOwner(weak_from_this());
  SetDeadline(context_.options.head_timeout);
  ReadInput();
}

void HttpConnection::ReadInput() {
  if (is_reading_) {
    return;
  }
  if (input_.begin == input_.end) {
    input_.begin = input_.end = 0;
  } else if (input_.end == input_.capacity) {
    input_.Compact();
  }
  is_reading_ = true;
  stream_->ReadSome({input_.bytes.get() + input_.end, input_.capacity - input_.end});
}

void HttpConnection::OnRead(size_t size) {
  is_reading_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (size == 0 && state_ == State::kHandling) {
    // It may have closed its side only: it gets the answer, if there is one.
    keeps_alive_ = false;
    *client_gone_ = true;
    return;
  }
  if (size == 0) {
    CloseNow();
    return;
  }
  context_.metrics.received_bytes.fetch_add(size, std::memory_order_relaxed);
  if (std::exchange(is_direct_read_, false)) {
    if (state_ == State::kReadingBody) {
      receiver_->AdvanceDirect(size);
      ReceiveBody();
      return;
    }
    receiver_.reset();
    size = 0;
  }
  if (state_ == State::kStreaming || state_ == State::kDraining) {
    input_.begin = input_.end = 0;
    ReadInput();
    return;
  }
  input_.end += size;
  if (state_ == State::kReadingHead) {
    ReadHead();
  } else if (state_ == State::kReadingBody) {
    ReceiveBody();
  }
}

void HttpConnection::ReadHead() {
  while (number_ == 0 && input_.view().starts_with("\r\n")) {
    input_.begin += 2;
    scanned_ = 0;
  }
  const std::string_view bytes = input_.view();
  const size_t head_end = FindHeadEnd(bytes, scanned_);
  if (head_end != std::string_view::npos) {
    TakeHead(bytes.substr(0, head_end));
    return;
  }
  if (bytes.size() == input_.capacity) {
    BeginRequest();
    FailAndClose(
        Error(ErrorCode::kHeadersTooLarge, fmt::format("the limit is {} bytes", input_.capacity)),
        Rejection::kHead);
    return;
  }
  if (scanned_ == 0 && !bytes.empty()) {
    SetDeadline(context_.options.head_timeout);
  }
  scanned_ = bytes.size();
  ReadInput();
}

void HttpConnection::BeginRequest() {
  number_ = ++context_.requests_count;
  request_id_ = fmt::format("{:08x}{:08x}", context_.server_tag, number_);
  begun_ = now();
  deadline_.reset();
  status_ = kStatusOfAborted;
  is_counted_ = true;
  ++context_.metrics.requests_in_flight;
}

void HttpConnection::TakeHead(std::string_view text) {
  BeginRequest();
  RequestParser parser;
  auto head = parser.ParseHead(text);
  input_.begin += text.size();
  scanned_ = 0;
  if (!head) {
    FailAndClose(head.error(), Rejection::kHead);
    return;
  }
  is_head_ = head->method == Method::kHead;
  keeps_alive_ = head->keeps_alive && !is_stopping_;
  auto admission = Admit(context_, *head, request_id_);
  if (!admission) {
    Refuse(admission.error(), *head);
    return;
  }
  request_ = std::move(admission->request);
  route_ = admission->route;
  if (route_ == nullptr) {
    WriteResponse({.status = 204,
                   .content_type = "",
                   .body = "",
                   .headers = {{.name = "Allow", .value = std::move(admission->allow)}}});
    return;
  }
  if (!head->has_body()) {
    Handle();
    return;
  }
  BeginBody(*head, admission->is_gzip, std::move(parser));
}

void HttpConnection::Refuse(const Refusal& refusal, const RequestHead& head) {
  context_.metrics.CountRejection(refusal.reason);
  // A body that has come already is skipped; otherwise what follows cannot be told from it.
  const uint64_t length = head.content_length.value_or(0);
  if (head.is_chunked || length > input_.view().size()) {
    keeps_alive_ = false;
  } else {
    input_.begin += length;
  }
  Response response = ProblemResponse(refusal.error, request_id_);
  if (!refusal.allow.empty()) {
    response.headers.push_back({.name = "Allow", .value = refusal.allow});
  }
  WriteResponse(std::move(response));
}

void HttpConnection::BeginBody(const RequestHead& head, bool is_gzip, RequestParser parser) {
  receiver_.emplace(context_.memory, context_.options.body, head, is_gzip, std::move(parser));
  body_begun_ = now();
  if (head.expects_continue && input_.view().empty()) {
    state_ = State::kContinuing;
    out_head_ = kContinue;
    out_body_.clear();
    written_ = 0;
    ContinueWriting();
    return;
  }
  state_ = State::kReadingBody;
  ReceiveBody();
}

bool HttpConnection::ChargeBody() {
  const size_t bytes = receiver_->bytes_to_charge();
  if (bytes == 0) {
    return true;
  }
  // The number of the wait is known only after the call, but read on this thread only.
  auto number = std::make_shared<uint64_t>(0);
  auto granted = [mailbox = mailbox_, weak = weak_from_this(), memory = context_.memory, number,
                  bytes] {
    const bool is_posted = mailbox->Post([weak, memory, number, bytes] {
      if (const auto connection = weak.lock()) {
        connection->OnMemory(*number, bytes);
      } else {
        memory->Discharge(bytes);
      }
    });
    if (!is_posted) {
      memory->Discharge(bytes);
    }
  };
  memory_wait_ = *number = context_.memory->ChargeOrWait(bytes, std::move(granted));
  if (memory_wait_ == 0) {
    receiver_->AddCharge(bytes);
    return true;
  }
  state_ = State::kWaitingForMemory;
  SetDeadline(context_.options.memory_timeout);
  return false;
}

void HttpConnection::OnMemory(uint64_t wait, size_t bytes) {
  if (state_ != State::kWaitingForMemory || wait != memory_wait_) {
    context_.memory->Discharge(bytes);
    return;
  }
  memory_wait_ = 0;
  receiver_->AddCharge(bytes);
  state_ = State::kReadingBody;
  ReceiveBody();
}

void HttpConnection::SetBodyDeadline() {
  const uint64_t seconds =
      receiver_->wire_bytes() / std::max<uint64_t>(1, context_.options.body_bytes_per_second_min);
  deadline_ = body_begun_ + context_.options.body_timeout + std::chrono::seconds(seconds);
}

void HttpConnection::ReceiveBody() {
  SetBodyDeadline();
  while (!receiver_->done()) {
    if (!ChargeBody()) {
      return;
    }
    const std::string_view bytes = input_.view();
    if (!bytes.empty()) {
      const auto consumed = receiver_->Feed(bytes);
      if (!consumed) {
        const bool is_memory = consumed.error().code() == ErrorCode::kUnavailable;
        FailAndClose(consumed.error(), is_memory ? Rejection::kMemory : Rejection::kBody);
        return;
      }
      input_.begin += *consumed;
      if (*consumed > 0) {
        continue;
      }
      if (bytes.size() == input_.capacity) {
        FailAndClose(Error(ErrorCode::kHttpBadRequest, "the framing of a chunk is too long"),
                     Rejection::kBody);
        return;
      }
    }
    if (const std::span<char> room = receiver_->DirectRoom(); !room.empty()) {
      is_direct_read_ = true;
      is_reading_ = true;
      stream_->ReadSome(room);
    } else {
      ReadInput();
    }
    return;
  }
  request_->body = receiver_->Finish();
  receiver_.reset();
  Handle();
}

void HttpConnection::Handle() {
  state_ = State::kHandling;
  deadline_.reset();
  auto responder = std::make_unique<ConnectionResponder>(mailbox_, weak_from_this(), number_);
  route_->handler(std::move(request_), std::move(responder));
}

std::shared_ptr<const std::atomic<bool>> HttpConnection::WatchClient(uint64_t number) {
  if (client_gone_ == nullptr) {
    client_gone_ = std::make_shared<std::atomic<bool>>(state_ == State::kClosed);
  }
  // What has come already is the next request: that client is there.
  if (state_ == State::kHandling && number == number_ && input_.view().empty()) {
    ReadInput();
  }
  return client_gone_;
}

void HttpConnection::Answer(uint64_t number, Response response) {
  if (state_ == State::kHandling && number == number_) {
    WriteResponse(std::move(response));
  }
}

void HttpConnection::Fail(uint64_t number, const Error& error) {
  Answer(number, ProblemResponse(error, request_id_));
}

void HttpConnection::FailAndClose(const Error& error, Rejection reason) {
  context_.metrics.CountRejection(reason);
  keeps_alive_ = false;
  request_.reset();
  WriteResponse(ProblemResponse(error, request_id_));
}

void HttpConnection::WriteResponse(Response response) {
  client_gone_.reset();
  // A read may still be under way into the body's memory; then OnRead lets go of it.
  if (!is_direct_read_) {
    receiver_.reset();
  }
  state_ = State::kWriting;
  keeps_alive_ = keeps_alive_ && !is_stopping_;
  status_ = response.status;
  out_head_ = RenderHead(response, {.content_length = response.body.size(),
                                    .keeps_alive = keeps_alive_,
                                    .request_id = request_id_,
                                    .now = context_.clock.WallMicros()});
  out_body_ = is_head_ ? std::string() : std::move(response.body);
  written_ = 0;
  ContinueWriting();
}

void HttpConnection::ContinueWriting() {
  SetDeadline(context_.options.write_timeout);
  is_writing_ = true;
  const std::string_view head =
      std::string_view(out_head_).substr(std::min(written_, out_head_.size()));
  const size_t body_from = written_ - std::min(written_, out_head_.size());
  stream_->WriteSome(head, std::string_view(out_body_).substr(body_from));
}

void HttpConnection::OnWritten(size_t size) {
  is_writing_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (size == 0) {
    CloseNow();
    return;
  }
  context_.metrics.sent_bytes.fetch_add(size, std::memory_order_relaxed);
  written_ += size;
  if (written_ < out_head_.size() + out_body_.size()) {
    ContinueWriting();
    return;
  }
  deadline_.reset();
  last_sent_ = now();
  if (state_ == State::kContinuing) {
    state_ = State::kReadingBody;
    ReceiveBody();
  } else if (state_ == State::kStreaming) {
    PumpEvents();
  } else {
    FinishResponse();
  }
}

void HttpConnection::CountAnswer() {
  if (!std::exchange(is_counted_, false)) {
    return;
  }
  --context_.metrics.requests_in_flight;
  const auto& routes = context_.router.routes();
  const size_t route =
      route_ == nullptr ? routes.size() : static_cast<size_t>(route_ - routes.data());
  context_.metrics.CountRequest(route, status_, now() - begun_);
}

void HttpConnection::FinishResponse() {
  CountAnswer();
  out_head_.clear();
  out_body_.clear();
  if (keeps_alive_ && !is_stopping_) {
    NextRequest();
  } else {
    Drain();
  }
}

void HttpConnection::NextRequest() {
  state_ = State::kReadingHead;
  number_ = 0;
  route_ = nullptr;
  is_head_ = false;
  if (input_.view().empty()) {
    SetDeadline(context_.options.idle_timeout);
    ReadInput();
  } else {
    SetDeadline(context_.options.head_timeout);
    ReadHead();
  }
}

void HttpConnection::AnswerStream(uint64_t number, std::unique_ptr<EventSource> source) {
  if (state_ != State::kHandling || number != number_) {
    return;
  }
  Response response{.status = 200, .content_type = "text/event-stream", .body = "", .headers = {}};
  keeps_alive_ = false;
  status_ = 200;
  out_head_ = RenderHead(response, {.content_length = std::nullopt,
                                    .keeps_alive = false,
                                    .request_id = request_id_,
                                    .now = context_.clock.WallMicros()});
  written_ = 0;
  if (is_head_) {
    state_ = State::kWriting;
    ContinueWriting();
    return;
  }
  state_ = State::kStreaming;
  ++context_.metrics.event_streams;
  CountAnswer();
  source_ = std::move(source);
  ContinueWriting();
  ReadInput();
  // One wake at a time is under way, however often the source asks.
  auto is_awake = std::make_shared<std::atomic<bool>>(false);
  source_->Start([mailbox = mailbox_, weak = weak_from_this(), is_awake] {
    if (is_awake->exchange(true)) {
      return;
    }
    mailbox->Post([weak, is_awake] {
      is_awake->store(false);
      const auto connection = weak.lock();
      if (connection != nullptr && connection->state_ == State::kStreaming) {
        connection->PumpEvents();
      }
    });
  });
}

void HttpConnection::PumpEvents() {
  if (is_writing_) {
    return;
  }
  if (is_last_chunk_ || is_stopping_) {
    Drain();
    return;
  }
  EventSource::Chunk chunk = source_->Next(context_.options.event_chunk_bytes);
  is_last_chunk_ = chunk.is_end;
  context_.metrics.event_gaps.fetch_add(chunk.gaps_count, std::memory_order_relaxed);
  if (!chunk.bytes.empty()) {
    out_head_.clear();
    out_body_ = std::move(chunk.bytes);
    written_ = 0;
    ContinueWriting();
  } else if (is_last_chunk_) {
    Drain();
  }
}

void HttpConnection::Tick() {
  if (deadline_ && now() >= *deadline_) {
    OnDeadline();
  }
  if (state_ == State::kStreaming && !is_writing_ &&
      now() - last_sent_ >= context_.options.event_heartbeat) {
    out_head_ = kHeartbeat;
    out_body_.clear();
    written_ = 0;
    ContinueWriting();
  }
}

void HttpConnection::OnDeadline() {
  const Error error(ErrorCode::kRequestTimeout, "the request came too slowly");
  switch (state_) {
    case State::kReadingHead:
      if (input_.view().empty()) {
        CloseNow();
        return;
      }
      BeginRequest();
      FailAndClose(error, Rejection::kTimeout);
      return;
    case State::kReadingBody:
      FailAndClose(error, Rejection::kTimeout);
      return;
    case State::kWaitingForMemory:
      if (context_.memory->CancelWait(memory_wait_)) {
        FailAndClose(Error(ErrorCode::kUnavailable, "the memory for request bodies is in use"),
                     Rejection::kMemory);
      }
      return;
    default:
      CloseNow();
      return;
  }
}

void HttpConnection::BeginStop() {
  is_stopping_ = true;
  if (state_ == State::kReadingHead) {
    CloseNow();
  } else if (state_ == State::kStreaming) {
    PumpEvents();
  }
}

void HttpConnection::Abort() { CloseNow(); }

void HttpConnection::Drain() {
  if (source_ != nullptr) {
    source_.reset();
    --context_.metrics.event_streams;
  }
  state_ = State::kDraining;
  SetDeadline(context_.options.close_timeout);
  stream_->ShutdownSend();
  input_.begin = input_.end = 0;
  ReadInput();
}

void HttpConnection::CloseNow() {
  if (state_ == State::kClosed) {
    return;
  }
  if (state_ == State::kWaitingForMemory) {
    context_.memory->CancelWait(memory_wait_);
  }
  CountAnswer();
  if (client_gone_ != nullptr) {
    *client_gone_ = true;
  }
  state_ = State::kClosed;
  deadline_.reset();
  stream_->Close();
  request_.reset();
  if (source_ != nullptr) {
    source_.reset();
    --context_.metrics.event_streams;
  }
}

}  // namespace millrace::serve
