#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace millrace {

/// Makes room for `more` elements. A vector that doubles leaves up to half of its memory unused,
/// which for large states is most of what they cost: above a mebibyte it grows by a quarter.
template <typename T, typename Allocator>
void ReserveMore(std::vector<T, Allocator>& vector, size_t more) {
  constexpr size_t kLargeBytes = 1 << 20;
  const size_t capacity = vector.capacity();
  if (capacity - vector.size() >= more) {
    return;
  }
  const size_t step = capacity * sizeof(T) < kLargeBytes ? capacity : capacity / 4;
  vector.reserve(capacity + std::max(step, more));
}

}  // namespace millrace
