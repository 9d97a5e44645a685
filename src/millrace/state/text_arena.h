#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace {

/// A text in a value of fixed width: where its bytes lie. All zero is the empty text.
struct TextRef {
  const char* data = nullptr;
  uint64_t size = 0;

  std::string_view view() const { return {data, size}; }
};

/// What the values of a state table are like.
struct ValueShape {
  size_t bytes = 0;           ///< Width.
  std::vector<size_t> texts;  ///< Offsets, multiples of 8, of the TextRefs in them.
  /// A value that begins with eight zero bytes says that nothing is there any more, and goes when
  /// its epoch is committed; unless it is to be kept.
  bool keeps_empty = false;
  /// Keys can be found by their prefix: see KeyedState::VisitChain.
  bool is_chained = false;
};

/// Memory for the texts of values. Texts never move and are given back only all at once. Used by
/// one thread at a time.
class TextArena {
 public:
  TextRef Copy(std::string_view text);

  void Clear();

  /// Bytes of all texts since Clear.
  size_t bytes() const { return bytes_; }
  size_t MemoryBytes() const { return memory_; }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
  size_t memory_ = 0;
};

}  // namespace millrace
