#pragma once

#include <cstdint>

#include "millrace/base/error.h"

namespace millrace {

/// Nothing, or why a record was refused. A std::optional is written to memory in parts and read as
/// a whole, which stalls the processor at every return: it took more than half of all decoding
/// time.
class RecordFailure {
 public:
  constexpr RecordFailure() = default;
  /// Implicit, so that `return ErrorCode::kX;` reads as a failure.
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr RecordFailure(ErrorCode code) : number_(static_cast<uint16_t>(code)) {}

  constexpr explicit operator bool() const { return number_ != 0; }
  /// Only when there is one.
  constexpr ErrorCode operator*() const { return static_cast<ErrorCode>(number_); }

 private:
  uint16_t number_ = 0;
};

}  // namespace millrace
