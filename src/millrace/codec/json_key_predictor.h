#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace millrace::json {

/// Remembers what followed what between the values of earlier records: the exact bytes from the end
/// of one value to the begin of the next, `,"price": `, and which field they name. A guess is
/// compared with the input before it is used, so it can only save work.
///
/// Bounded: at most kNodesMax different pieces of at most kPieceBytesMax bytes are remembered.
class KeyPredictor {
 public:
  using Node = uint16_t;
  static constexpr size_t kNodesMax = 128;
  static constexpr size_t kPieceBytesMax = 64;
  static constexpr Node kStart = 0;    ///< Before a record.
  static constexpr Node kUnknown = 1;  ///< Behind a piece that is not remembered; guesses nothing.

  /// What a piece says.
  struct Piece {
    int32_t field = 0;       ///< As the caller numbers them.
    uint32_t size = 0;       ///< Bytes of the piece.
    uint32_t key_begin = 0;  ///< Where the key with its quotes begins.
    uint32_t key_size = 0;
    uint32_t object = 0;  ///< In which object it stands, as the caller numbers them.
  };

  KeyPredictor() : nodes_(2) {}

  /// Compares the input at `at` (kPieceBytesMax bytes readable) with what followed `from` before.
  /// Returns the piece's node, or kStart when none matches.
  Node Guess(Node from, const char* at) {
    Entry& entry = nodes_[from];
    if (entry.next[0] != kStart && Matches(nodes_[entry.next[0]], at)) [[likely]] {
      return entry.next[0];
    }
    if (entry.next[1] != kStart && Matches(nodes_[entry.next[1]], at)) {
      std::swap(entry.next[0], entry.next[1]);
      return entry.next[0];
    }
    return kStart;
  }

  const Piece& piece(Node node) const { return nodes_[node].piece; }

  /// Remembers that `piece`, whose bytes are `bytes`, followed `from`. Returns its node.
  Node Learn(Node from, std::string_view bytes, const Piece& piece);

 private:
  using Words = std::array<uint64_t, kPieceBytesMax / sizeof(uint64_t)>;

  struct Entry {
    Words words{};
    uint64_t mask = 0;  ///< A bit for each byte of the piece.
    Piece piece;
    std::array<Node, 2> next{kStart, kStart};  ///< The latest first; kStart is none.
  };

  static bool Matches(const Entry& entry, const char* at) {
#if defined(__AVX2__)
    const auto equal = [&](size_t offset) {
      const auto* text = reinterpret_cast<const char*>(entry.words.data()) + offset;
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(text));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at + offset));
      return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
    };
    const auto low = static_cast<uint32_t>(entry.mask);
    const auto high = static_cast<uint32_t>(entry.mask >> 32);
    return (equal(0) & low) == low && (high == 0 || (equal(sizeof(__m256i)) & high) == high);
#else
    return std::memcmp(entry.words.data(), at, entry.piece.size) == 0;
#endif
  }

  std::vector<Entry> nodes_;
};

}  // namespace millrace::json
