#pragma once

#include <string_view>

#include "millrace/base/result.h"
#include "millrace/data/text_format.h"

namespace millrace::internal {

/// Turns an outcome into kInvalidCast or `out_of_range`; the message quotes the start of `text`.
Status ScanStatus(ScanOutcome outcome, ErrorCode out_of_range, std::string_view type,
                  std::string_view text);

inline Status DatetimeStatus(ScanOutcome outcome, std::string_view type, std::string_view text) {
  return ScanStatus(outcome, ErrorCode::kDatetimeOutOfRange, type, text);
}

inline Status NumberStatus(ScanOutcome outcome, std::string_view type, std::string_view text) {
  return ScanStatus(outcome, ErrorCode::kNumericOutOfRange, type, text);
}

}  // namespace millrace::internal
