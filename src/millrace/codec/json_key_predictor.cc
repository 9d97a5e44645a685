#include "millrace/codec/json_key_predictor.h"

#include <cstring>

namespace millrace::json {

KeyPredictor::Node KeyPredictor::Learn(Node from, std::string_view bytes, const Piece& piece) {
  if (from == kUnknown || bytes.empty() || bytes.size() > kPieceBytesMax) {
    return kUnknown;
  }
  Entry entry;
  std::memcpy(entry.words.data(), bytes.data(), bytes.size());
  entry.mask = ~uint64_t{0} >> (kPieceBytesMax - bytes.size());
  entry.piece = piece;
  Node node = kUnknown + 1;
  while (node < nodes_.size() &&
         (nodes_[node].piece.size != piece.size || nodes_[node].piece.object != piece.object ||
          nodes_[node].words != entry.words)) {
    ++node;
  }
  if (node == nodes_.size()) {
    if (nodes_.size() == kNodesMax) {
      return kUnknown;
    }
    nodes_.push_back(entry);
  }
  auto& next = nodes_[from].next;
  if (next[0] != node) {
    next = {node, next[0]};
  }
  return node;
}

}  // namespace millrace::json
