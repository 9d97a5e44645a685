#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace millrace {

/// Bitmaps are 64-bit words, bit i in word i / 64 at position i % 64 (Arrow's order). Bits behind
/// the last row are zero.
inline constexpr size_t kBitsPerWord = 64;

inline size_t WordsForBits(size_t bits) { return (bits + kBitsPerWord - 1) / kBitsPerWord; }

inline bool GetBit(const uint64_t* words, size_t index) {
  return ((words[index / kBitsPerWord] >> (index % kBitsPerWord)) & 1) != 0;
}

inline void SetBit(uint64_t* words, size_t index) {
  words[index / kBitsPerWord] |= uint64_t{1} << (index % kBitsPerWord);
}

inline void ClearBit(uint64_t* words, size_t index) {
  words[index / kBitsPerWord] &= ~(uint64_t{1} << (index % kBitsPerWord));
}

/// Counts the one bits among the first `bits`.
inline size_t CountBits(std::span<const uint64_t> words) {
  size_t count = 0;
  for (const uint64_t word : words) {
    count += static_cast<size_t>(std::popcount(word));
  }
  return count;
}

/// A bitmap under construction.
class BitmapBuilder {
 public:
  size_t size() const { return size_; }

  void Append(bool value) {
    if (size_ % kBitsPerWord == 0) {
      words_.push_back(0);
    }
    words_.back() |= uint64_t{value} << (size_ % kBitsPerWord);
    ++size_;
  }

  void AppendMany(bool value, size_t count) {
    for (; count > 0 && size_ % kBitsPerWord != 0; --count) {
      Append(value);
    }
    for (; count >= kBitsPerWord; count -= kBitsPerWord, size_ += kBitsPerWord) {
      words_.push_back(value ? ~uint64_t{0} : 0);
    }
    for (; count > 0; --count) {
      Append(value);
    }
  }

  /// Drops bits from the end.
  void Truncate(size_t size) {
    size_ = size;
    words_.resize(WordsForBits(size));
    if (size % kBitsPerWord != 0) {
      words_.back() &= (uint64_t{1} << (size % kBitsPerWord)) - 1;
    }
  }

  bool Get(size_t index) const { return GetBit(words_.data(), index); }

  /// Hands out the words and starts again empty.
  std::vector<uint64_t> Take() {
    size_ = 0;
    return std::exchange(words_, {});
  }

 private:
  std::vector<uint64_t> words_;
  size_t size_ = 0;
};

}  // namespace millrace
