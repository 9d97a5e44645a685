#include "millrace/base/utf8.h"

#include <cstddef>
#include <cstring>

namespace millrace {

namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// Returns the length of the valid sequence at `at`, which starts with a byte >= 0x80; 0 when there
/// is none (Unicode 15, table 3-7).
size_t SequenceLength(const unsigned char* at, size_t left) {
  const unsigned char lead = at[0];
  if (lead < 0xC2 || lead > 0xF4) {
    return 0;
  }
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > left) {
    return 0;
  }
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (at[1] < low || at[1] > high) {
    return 0;
  }
  for (size_t i = 2; i < length; ++i) {
    if (!IsContinuation(at[i])) {
      return 0;
    }
  }
  return length;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  while (at != end) {
    if (end - at >= 8) {
      uint64_t word;
      std::memcpy(&word, at, sizeof(word));
      if ((word & kHighBits) == 0) {
        at += sizeof(word);
        continue;
      }
    }
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const size_t length = SequenceLength(at, static_cast<size_t>(end - at));
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}

size_t Utf8SequenceLength(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  return *at < 0x80 ? 1 : SequenceLength(at, text.size());
}

void AppendUtf8(std::string& out, uint32_t code_point) {
  const auto tail = [&](uint32_t shift) {
    out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3F));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace millrace
