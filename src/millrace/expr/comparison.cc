#include <cmath>
#include <compare>
#include <cstring>

#include "millrace/expr/functions.h"
#include "millrace/expr/numeric_math.h"

namespace millrace::internal {

namespace {

const DataType kBool = DataType::Of(TypeId::kBoolean);

// Orders follow PostgreSQL: NaN equals NaN and is above all numbers; text is compared by bytes,
// which is the collation "C".

template <typename T>
struct FixedOrder {
  using Value = T;
  static bool Equal(const T& a, const T& b) { return a == b; }
  static bool Less(const T& a, const T& b) { return a < b; }
};

template <typename T>
struct FloatOrder {
  using Value = T;
  static bool Equal(T a, T b) { return a == b || (std::isnan(a) && std::isnan(b)); }
  static bool Less(T a, T b) { return a < b || (std::isnan(b) && !std::isnan(a)); }
};

struct IntervalOrderOf {
  using Value = Interval;
  static bool Equal(const Interval& a, const Interval& b) {
    return IntervalOrder(a) == IntervalOrder(b);
  }
  static bool Less(const Interval& a, const Interval& b) {
    return IntervalOrder(a) < IntervalOrder(b);
  }
};

struct UuidOrder {
  using Value = Uuid;
  static bool Equal(const Uuid& a, const Uuid& b) { return a == b; }
  static bool Less(const Uuid& a, const Uuid& b) {
    return std::memcmp(a.data(), b.data(), a.size()) < 0;
  }
};

/// Calls `compare(is_equal, is_less)` with functions over row numbers for the operands of `call`.
template <typename Order, typename Compare>
std::vector<uint64_t> CompareFixed(const KernelCall& call, Compare compare) {
  using T = typename Order::Value;
  std::vector<uint64_t> words;
  WithValues<T>(call.argument(0), [&](auto left) {
    WithValues<T>(call.argument(1), [&](auto right) {
      words = compare([=](size_t row) { return Order::Equal(left[row], right[row]); },
                      [=](size_t row) { return Order::Less(left[row], right[row]); },
                      [=](size_t row) { return Order::Less(right[row], left[row]); });
    });
  });
  return words;
}

template <typename Compare>
std::vector<uint64_t> CompareText(const KernelCall& call, Compare compare) {
  const Operand& a = call.argument(0);
  const Operand& b = call.argument(1);
  return compare([&](size_t row) { return a.Text(row) == b.Text(row); },
                 [&](size_t row) { return a.Text(row) < b.Text(row); },
                 [&](size_t row) { return b.Text(row) < a.Text(row); });
}

template <typename Compare>
std::vector<uint64_t> CompareBool(const KernelCall& call, Compare compare) {
  const Operand& a = call.argument(0);
  const Operand& b = call.argument(1);
  return compare([&](size_t row) { return a.Bool(row) == b.Bool(row); },
                 [&](size_t row) { return !a.Bool(row) && b.Bool(row); },
                 [&](size_t row) { return !b.Bool(row) && a.Bool(row); });
}

template <typename Compare>
std::vector<uint64_t> CompareNumeric(const KernelCall& call, Compare compare) {
  const uint8_t left_scale = call.argument(0).column.type().scale;
  const uint8_t right_scale = call.argument(1).column.type().scale;
  if (left_scale == right_scale) {
    return CompareFixed<FixedOrder<Int128>>(call, compare);
  }
  const Operand& a = call.argument(0);
  const Operand& b = call.argument(1);
  const auto order = [&a, &b, left_scale, right_scale](size_t row) {
    return CompareScaled(a.At<Int128>(row), left_scale, b.At<Int128>(row), right_scale);
  };
  return compare([&](size_t row) { return order(row) == 0; },
                 [&](size_t row) { return order(row) < 0; },
                 [&](size_t row) { return order(row) > 0; });
}

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

/// Turns "equal, less, greater" of a type into the bits of one operator.
template <Comparison kComparison>
struct Packer {
  size_t rows;

  template <typename Equal, typename Less, typename Greater>
  std::vector<uint64_t> operator()(Equal equal, Less less, Greater greater) const {
    if constexpr (kComparison == Comparison::kEqual) {
      return PackBits(rows, equal);
    } else if constexpr (kComparison == Comparison::kNotEqual) {
      return PackBits(rows, [&](size_t row) { return !equal(row); });
    } else if constexpr (kComparison == Comparison::kLess) {
      return PackBits(rows, less);
    } else if constexpr (kComparison == Comparison::kLessEqual) {
      return PackBits(rows, [&](size_t row) { return !greater(row); });
    } else if constexpr (kComparison == Comparison::kGreater) {
      return PackBits(rows, greater);
    } else {
      return PackBits(rows, [&](size_t row) { return !less(row); });
    }
  }
};

template <TypeId kType, typename Compare>
std::vector<uint64_t> CompareAs(const KernelCall& call, Compare compare) {
  if constexpr (kType == TypeId::kBoolean) {
    return CompareBool(call, compare);
  } else if constexpr (kType == TypeId::kInt16) {
    return CompareFixed<FixedOrder<int16_t>>(call, compare);
  } else if constexpr (kType == TypeId::kInt32 || kType == TypeId::kDate) {
    return CompareFixed<FixedOrder<int32_t>>(call, compare);
  } else if constexpr (kType == TypeId::kInt64 || kType == TypeId::kTimestamp ||
                       kType == TypeId::kTimestamptz) {
    return CompareFixed<FixedOrder<int64_t>>(call, compare);
  } else if constexpr (kType == TypeId::kFloat32) {
    return CompareFixed<FloatOrder<float>>(call, compare);
  } else if constexpr (kType == TypeId::kFloat64) {
    return CompareFixed<FloatOrder<double>>(call, compare);
  } else if constexpr (kType == TypeId::kNumeric) {
    return CompareNumeric(call, compare);
  } else if constexpr (kType == TypeId::kInterval) {
    return CompareFixed<IntervalOrderOf>(call, compare);
  } else if constexpr (kType == TypeId::kUuid) {
    return CompareFixed<UuidOrder>(call, compare);
  } else {
    return CompareText(call, compare);
  }
}

template <TypeId kType, Comparison kComparison>
Column CompareKernel(const KernelCall& call) {
  return BooleanResult(call, CompareAs<kType>(call, Packer<kComparison>{call.rows}));
}

/// IS DISTINCT FROM: NULL is a value like any other.
template <TypeId kType, bool kDistinct>
Column DistinctKernel(const KernelCall& call) {
  const auto equal = CompareAs<kType>(call, Packer<Comparison::kEqual>{call.rows});
  const Operand& a = call.argument(0);
  const Operand& b = call.argument(1);
  auto words = PackBits(call.rows, [&](size_t row) {
    const bool null = a.IsNull(row);
    const bool same = null == b.IsNull(row) && (null || GetBit(equal.data(), row));
    return same != kDistinct;
  });
  return BooleanResult(call, std::move(words));
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, TypeId type, Kernel kernel,
         bool strict = true) {
  out.push_back({.name = name,
                 .arguments = {type, type},
                 .result = kBool,
                 .kernel = kernel,
                 .strict = strict,
                 .may_fail = false});
}

template <TypeId kType>
void AddEquality(std::vector<ScalarFunction>& out) {
  Add(out, "=", kType, CompareKernel<kType, Comparison::kEqual>);
  Add(out, "<>", kType, CompareKernel<kType, Comparison::kNotEqual>);
  Add(out, "IS DISTINCT FROM", kType, DistinctKernel<kType, true>, false);
  Add(out, "IS NOT DISTINCT FROM", kType, DistinctKernel<kType, false>, false);
}

template <TypeId kType>
void AddOrder(std::vector<ScalarFunction>& out) {
  AddEquality<kType>(out);
  Add(out, "<", kType, CompareKernel<kType, Comparison::kLess>);
  Add(out, "<=", kType, CompareKernel<kType, Comparison::kLessEqual>);
  Add(out, ">", kType, CompareKernel<kType, Comparison::kGreater>);
  Add(out, ">=", kType, CompareKernel<kType, Comparison::kGreaterEqual>);
}

}  // namespace

void AddComparisonFunctions(std::vector<ScalarFunction>& out) {
  AddOrder<TypeId::kBoolean>(out);
  AddOrder<TypeId::kInt16>(out);
  AddOrder<TypeId::kInt32>(out);
  AddOrder<TypeId::kInt64>(out);
  AddOrder<TypeId::kFloat32>(out);
  AddOrder<TypeId::kFloat64>(out);
  AddOrder<TypeId::kNumeric>(out);
  AddOrder<TypeId::kText>(out);
  AddOrder<TypeId::kBytea>(out);
  AddOrder<TypeId::kDate>(out);
  AddOrder<TypeId::kTimestamp>(out);
  AddOrder<TypeId::kTimestamptz>(out);
  AddOrder<TypeId::kInterval>(out);
  AddOrder<TypeId::kUuid>(out);
  AddOrder<TypeId::kArray>(out);
  // Canonical text is equal when the values are; PostgreSQL's order of jsonb is another one.
  AddEquality<TypeId::kJsonb>(out);
}

}  // namespace millrace::internal
