#include "millrace/state/text_arena.h"

#include <algorithm>
#include <cstring>

namespace millrace {

namespace {

constexpr size_t kBlockBytesMin = 256;
constexpr size_t kBlockBytesMax = 64 << 10;

}  // namespace

TextRef TextArena::Copy(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  if (text.size() > left_) {
    // As much again as there is, so that small arenas stay small and large ones have few blocks.
    const size_t block = std::max(text.size(), std::clamp(memory_, kBlockBytesMin, kBlockBytesMax));
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    next_ = blocks_.back().get();
    left_ = block;
    memory_ += block;
  }
  char* const at = next_;
  std::memcpy(at, text.data(), text.size());
  next_ += text.size();
  left_ -= text.size();
  bytes_ += text.size();
  return {.data = at, .size = text.size()};
}

void TextArena::Clear() {
  blocks_.clear();
  next_ = nullptr;
  left_ = 0;
  bytes_ = 0;
  memory_ = 0;
}

}  // namespace millrace
