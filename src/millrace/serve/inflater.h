#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/serve/body_builder.h"

namespace millrace::serve {

/// Decompresses gzip (RFC 1952, one or more members) as it arrives, straight into a body. For one
/// thread at a time.
class Inflater {
 public:
  /// Refuses more than `ratio_max` decompressed bytes per compressed one, beyond the first MiB.
  explicit Inflater(size_t ratio_max);
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) = delete;
  ~Inflater();

  /// Decompresses all of `bytes` to the end of `body`. Errors: kDecompressionFailed, kBodyTooLarge
  /// (also for the ratio) and kUnavailable as of BodyBuilder::Room.
  Status Write(std::string_view bytes, BodyBuilder& body);
  /// True at the end of a member: the input may end here.
  bool finished() const { return finished_; }

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
  size_t ratio_max_;
  size_t bytes_in_ = 0;
  bool finished_ = false;
};

}  // namespace millrace::serve
