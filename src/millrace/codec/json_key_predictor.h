#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

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
    uint64_t last_mask = 0;
    uint16_t last_word = 0;
    std::array<Node, 2> next{kStart, kStart};  ///< The latest first; kStart is none.
    Piece piece;
  };

  static uint64_t Load(const char* at) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    return word;
  }

  static bool Matches(const Entry& entry, const char* at) {
    uint64_t difference =
        (Load(at + size_t{8} * entry.last_word) ^ entry.words[entry.last_word]) & entry.last_mask;
    for (size_t i = 0; i < entry.last_word; ++i) {
      difference |= Load(at + 8 * i) ^ entry.words[i];
    }
    return difference == 0;
  }

  std::vector<Entry> nodes_;
};

}  // namespace millrace::json
