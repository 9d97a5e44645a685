#include "millrace/data/value_order.h"

#include <cmath>
#include <type_traits>
#include <variant>

#include "millrace/data/text_format.h"

namespace millrace {

namespace {

template <typename T>
int Compare(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, Interval>) {
    return Compare(IntervalOrder(a), IntervalOrder(b));
  } else {
    if constexpr (std::is_same_v<T, double>) {
      if (std::isnan(a) || std::isnan(b)) {
        return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
      }
    }
    return a < b ? -1 : static_cast<int>(b < a);
  }
}

}  // namespace

int CompareValues(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) {
    return static_cast<int>(a.is_null()) - static_cast<int>(b.is_null());
  }
  return std::visit(
      [&](const auto& left) -> int {
        using T = std::decay_t<decltype(left)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return 0;
        } else {
          return Compare(left, b.Get<T>());
        }
      },
      a.variant());
}

}  // namespace millrace
