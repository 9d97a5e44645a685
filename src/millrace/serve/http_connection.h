#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "millrace/serve/admission.h"
#include "millrace/serve/body_receiver.h"
#include "millrace/serve/byte_stream.h"
#include "millrace/serve/connection_context.h"
#include "millrace/serve/http_parser.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

/// One client connection: reads a request, checks it, hands it to its handler, writes the answer,
/// and so on; or streams events. Owned by its loop and by what is under way on its stream;
/// everything happens on the loop's thread, but responders reach it from others through the
/// mailbox.
class HttpConnection final : public ByteStream::Owner,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(ConnectionContext& context, std::unique_ptr<ByteStream> stream,
                 std::shared_ptr<Mailbox> mailbox);
  ~HttpConnection() override;

  /// Begins to read. Once, after construction by make_shared.
  void Start();
  /// Acts on deadlines that have passed and sends heartbeats.
  void Tick();
  /// Ends when idle, else after the answer that is under way. Event streams end at once.
  void BeginStop();
  /// Closes now.
  void Abort();
  bool closed() const { return state_ == State::kClosed; }

  void OnRead(size_t size) override;
  void OnWritten(size_t size) override;

  /// Answers request `number`; ignored when that was answered or the connection is closed.
  void Answer(uint64_t number, Response response);
  void AnswerStream(uint64_t number, std::unique_ptr<EventSource> source);
  void Fail(uint64_t number, const Error& error);
  /// See Responder::WatchClient. On the loop's thread, while request `number` is handled.
  std::shared_ptr<const std::atomic<bool>> WatchClient(uint64_t number);

 private:
  enum class State : uint8_t {
    kReadingHead,
    kContinuing,  ///< Writing "100 Continue".
    kReadingBody,
    kWaitingForMemory,
    kHandling,
    kWriting,
    kStreaming,
    kDraining,  ///< Reading to the end so that the client sees the last answer.
    kClosed,
  };

  /// Bytes that were read and not consumed yet.
  struct Input {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0;
    size_t begin = 0;
    size_t end = 0;

    std::string_view view() const { return {bytes.get() + begin, end - begin}; }
    void Compact();
  };

  // Reading.
  void ReadInput();
  void ReadHead();
  void BeginRequest();
  void TakeHead(std::string_view text);
  void Refuse(const Refusal& refusal, const RequestHead& head);
  void BeginBody(const RequestHead& head, bool is_gzip, RequestParser parser);
  void ReceiveBody();
  /// Charges what the body needs next; false when it must wait for memory.
  bool ChargeBody();
  void OnMemory(uint64_t wait, size_t bytes);
  void Handle();

  // Writing.
  void FailAndClose(const Error& error, Rejection reason);
  void WriteResponse(Response response);
  void ContinueWriting();
  void FinishResponse();
  void NextRequest();
  void PumpEvents();
  void CountAnswer();

  // Time and end.
  std::chrono::nanoseconds now() const { return context_.clock.Monotonic(); }
  void SetDeadline(std::chrono::nanoseconds from_now) { deadline_ = now() + from_now; }
  void SetBodyDeadline();
  void OnDeadline();
  void Drain();
  void CloseNow();

  ConnectionContext& context_;
  const std::unique_ptr<ByteStream> stream_;
  const std::shared_ptr<Mailbox> mailbox_;
  State state_ = State::kReadingHead;
  bool is_stopping_ = false;
  bool is_reading_ = false;
  std::optional<std::chrono::nanoseconds> deadline_;

  Input input_;
  size_t scanned_ = 0;  ///< How much of the input holds no end of a head.

  // The request under way.
  uint64_t number_ = 0;
  std::chrono::nanoseconds begun_{0};
  const Route* route_ = nullptr;
  RequestPtr request_;  ///< Until its handler takes it.
  std::string request_id_;
  bool is_head_ = false;
  bool keeps_alive_ = false;
  bool is_counted_ = false;  ///< Among requests_in_flight.
  std::optional<BodyReceiver> receiver_;
  bool is_direct_read_ = false;  ///< The read under way goes to the body itself.
  std::chrono::nanoseconds body_begun_{0};
  uint64_t memory_wait_ = 0;
  std::shared_ptr<std::atomic<bool>> client_gone_;  ///< Null unless the handler watches.

  // The answer under way.
  int status_ = 0;
  std::string out_head_;
  std::string out_body_;
  size_t written_ = 0;
  std::unique_ptr<EventSource> source_;
  bool is_writing_ = false;
  bool is_last_chunk_ = false;
  std::chrono::nanoseconds last_sent_{0};
};

}  // namespace millrace::serve
