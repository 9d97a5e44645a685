#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/serve/body_builder.h"
#include "millrace/serve/http_parser.h"
#include "millrace/serve/inflater.h"

namespace millrace::serve {

struct BodyLimits {
  uint64_t wire_bytes_max = uint64_t{16} << 20;     ///< As sent, without the framing of chunks.
  uint64_t decoded_bytes_max = uint64_t{64} << 20;  ///< Of compressed bodies, decompressed.
  size_t ratio_max = 200;  ///< Decompressed to compressed, beyond the first MiB.
};

/// Receives the body of one request: whole or chunked, plain or gzip. Makes no calls itself: its
/// owner reads, charges memory, and feeds. A plain body of known length is read straight to its
/// place.
class BodyReceiver {
 public:
  /// `head` has a body, of at most limits.wire_bytes_max bytes where its length is known. `parser`
  /// has parsed that head; it decodes the chunks.
  BodyReceiver(std::shared_ptr<BodyMemory> memory, const BodyLimits& limits,
               const RequestHead& head, bool is_gzip, RequestParser parser);

  bool done() const { return done_; }
  /// Bytes received, as sent.
  uint64_t wire_bytes() const { return wire_bytes_; }

  /// How much must be charged before more can be taken; grows with what has come, so that a large
  /// Content-Length alone holds no memory. 0 most of the time.
  size_t bytes_to_charge() const;
  void AddCharge(size_t bytes) { body_.AddCharge(bytes); }

  /// Takes what it can of bytes that were read elsewhere; returns how many. Errors end the request:
  /// kHttpBadRequest, kBodyTooLarge, kDecompressionFailed, kUnavailable.
  Result<size_t> Feed(std::string_view bytes);
  /// Where to read to directly; empty when bytes must come through Feed.
  std::span<char> DirectRoom();
  void AdvanceDirect(size_t bytes);

  /// The body, when done.
  RequestBody Finish() { return body_.Finish(); }

 private:
  bool is_direct() const { return length_ && !inflater_; }
  Status Take(std::string_view bytes);
  Status CheckEnd();

  const BodyLimits limits_;
  const std::optional<uint64_t> length_;
  std::optional<Inflater> inflater_;
  RequestParser parser_;
  BodyBuilder body_;
  uint64_t wire_bytes_ = 0;
  bool done_ = false;
};

}  // namespace millrace::serve
