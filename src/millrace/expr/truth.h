#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "millrace/expr/kernel.h"

namespace millrace::internal {

/// Three-valued truth per row as two bitmaps; a row in neither is NULL. Bits behind the last row
/// are zero in both.
struct Truth {
  std::vector<uint64_t> is_true;
  std::vector<uint64_t> is_false;

  /// `size` rows that are all true, all false.
  static Truth All(bool value, size_t size);
  static Truth FromOperand(const Operand& operand, size_t size);

  void Negate() { is_true.swap(is_false); }
  /// Combines row by row with AND.
  void And(const Truth& other);
  void Or(const Truth& other);
  /// As And and Or with a truth of fewer rows: row i of `other` belongs to `rows[i]`.
  void AndAt(const Truth& other, std::span<const uint32_t> rows);
  void OrAt(const Truth& other, std::span<const uint32_t> rows);

  Column ToColumn(size_t size) const;
};

/// Returns the positions of one bits among the first `size`, ascending.
std::vector<uint32_t> SetPositions(std::span<const uint64_t> words, size_t size);
/// Returns the positions of zero bits.
std::vector<uint32_t> ClearPositions(std::span<const uint64_t> words, size_t size);

}  // namespace millrace::internal
