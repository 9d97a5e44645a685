#include "millrace/data/sort_encoding.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

/// Encodes `values`, which are in ascending order, and expects that the bytes are as well.
void ExpectInOrder(DataType type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) {
    AppendValue(builder, value);
  }
  const Column column = builder.Finish();
  for (const bool is_descending : {false, true}) {
    std::string before;
    for (size_t row = 0; row < column.size(); ++row) {
      std::string bytes;
      AppendSortable(column, row, {.is_descending = is_descending}, bytes);
      bytes += "behind";
      if (row > 0) {
        EXPECT_EQ(before < bytes, !is_descending) << type.ToString() << ", row " << row;
      }
      before = bytes;
    }
  }
}

template <typename T>
std::vector<Value> Values(std::initializer_list<T> values) {
  std::vector<Value> all;
  for (const T& value : values) {
    all.emplace_back(value);
  }
  return all;
}

TEST(SortEncoding, KeepsTheOrderOfValues) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExpectInOrder(DataType::Of(TypeId::kBoolean), Values({false, true}));
  for (const TypeId type : {TypeId::kInt16, TypeId::kInt32, TypeId::kInt64, TypeId::kDate,
                            TypeId::kTimestamp, TypeId::kTimestamptz}) {
    ExpectInOrder(DataType::Of(type), Values<int64_t>({-32768, -256, -1, 0, 1, 255, 256, 32767}));
  }
  for (const TypeId type : {TypeId::kFloat32, TypeId::kFloat64}) {
    ExpectInOrder(DataType::Of(type), Values<double>({-kInfinity, -1e30, -1.5, -1e-30, 0.0, 1e-30,
                                                      2.0, 1e30, kInfinity, std::nan("")}));
  }
  const Int128 large = Int128{1} << 100;
  ExpectInOrder(DataType::Numeric(38, 0), Values<Int128>({-large, -1, 0, 1, 256, large}));
  ExpectInOrder(DataType::Of(TypeId::kInterval),
                Values<Interval>({{.days = -1}, {.micros = 1}, {.days = 30}, {.months = 1}}));
  const auto text = [](std::string_view bytes) { return std::string(bytes); };
  using std::string_view_literals::operator""sv;
  for (const TypeId type : {TypeId::kText, TypeId::kBytea}) {
    ExpectInOrder(
        DataType::Of(type),
        Values<std::string>({text(""), text("\0"sv), text("\0\0"sv), text("\0\xff"sv), text("a"),
                             text("a\0"sv), text("aa"), text("b"), text("\xc3\xa9")}));
  }
}

TEST(SortEncoding, PutsNullsWhereTheyAreWanted) {
  ColumnBuilder builder(DataType::Of(TypeId::kInt32));
  builder.AppendNull();
  builder.AppendFixed(std::numeric_limits<int32_t>::min());
  builder.AppendFixed(std::numeric_limits<int32_t>::max());
  const Column column = builder.Finish();
  for (const bool is_descending : {false, true}) {
    for (const bool nulls_first : {false, true}) {
      std::vector<std::string> rows(3);
      for (size_t row = 0; row < 3; ++row) {
        AppendSortable(column, row, {.is_descending = is_descending, .nulls_first = nulls_first},
                       rows[row]);
      }
      EXPECT_EQ(rows[0] < rows[1], nulls_first);
      EXPECT_EQ(rows[0] < rows[2], nulls_first);
    }
  }
}

TEST(SortEncoding, TakesEqualNumbersAsEqual) {
  ColumnBuilder builder(DataType::Of(TypeId::kFloat64));
  builder.AppendFixed(0.0);
  builder.AppendFixed(-0.0);
  const Column column = builder.Finish();
  std::string zero;
  std::string minus_zero;
  AppendSortable(column, 0, {}, zero);
  AppendSortable(column, 1, {}, minus_zero);
  EXPECT_EQ(zero, minus_zero);
}

}  // namespace
}  // namespace millrace
