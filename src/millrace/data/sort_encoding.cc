#include "millrace/data/sort_encoding.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "millrace/base/error.h"

namespace millrace {

namespace {

template <typename Unsigned>
void AppendBigEndian(Unsigned value, std::string& out) {
  for (size_t shift = sizeof(Unsigned) * 8; shift > 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(value >> (shift - 8))));
  }
}

template <typename Unsigned, typename T>
void AppendSigned(T value, std::string& out) {
  constexpr Unsigned kSign = Unsigned{1} << (sizeof(Unsigned) * 8 - 1);
  AppendBigEndian<Unsigned>(static_cast<Unsigned>(value) ^ kSign, out);
}

template <typename Unsigned, typename T>
void AppendFloat(T value, std::string& out) {
  constexpr Unsigned kSign = Unsigned{1} << (sizeof(Unsigned) * 8 - 1);
  if (std::isnan(value)) {
    value = std::numeric_limits<T>::quiet_NaN();
  }
  const auto bits = std::bit_cast<Unsigned>(value == T{0} ? T{0} : value);
  AppendBigEndian<Unsigned>((bits & kSign) != 0 ? ~bits : bits | kSign, out);
}

void AppendText(std::string_view text, std::string& out) {
  for (const char byte : text) {
    out.push_back(byte);
    if (byte == '\0') {
      out.push_back('\xff');
    }
  }
  out.push_back('\0');
  out.push_back('\x01');
}

void AppendValue(const Column& column, size_t row, std::string& out) {
  switch (column.type().id) {
    case TypeId::kBoolean:
      out.push_back(column.Bool(row) ? 1 : 0);
      return;
    case TypeId::kInt16:
      return AppendSigned<uint16_t>(column.Values<int16_t>()[row], out);
    case TypeId::kInt32:
    case TypeId::kDate:
      return AppendSigned<uint32_t>(column.Values<int32_t>()[row], out);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return AppendSigned<uint64_t>(column.Values<int64_t>()[row], out);
    case TypeId::kFloat32:
      return AppendFloat<uint32_t>(column.Values<float>()[row], out);
    case TypeId::kFloat64:
      return AppendFloat<uint64_t>(column.Values<double>()[row], out);
    case TypeId::kNumeric:
      return AppendSigned<Uint128>(column.Values<Int128>()[row], out);
    case TypeId::kInterval: {
      const Interval value = column.Values<Interval>()[row];
      AppendSigned<Uint128>(IntervalOrder(value), out);
      AppendSigned<uint32_t>(value.months, out);
      return AppendSigned<uint32_t>(value.days, out);
    }
    case TypeId::kUuid:
      for (const std::byte byte : column.Values<Uuid>()[row]) {
        out.push_back(static_cast<char>(byte));
      }
      return;
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
      return AppendText(column.Text(row), out);
  }
  MR_CHECK(false, "type {}", static_cast<int>(column.type().id));
}

}  // namespace

void AppendSortable(const Column& column, size_t row, SortDirection direction, std::string& out) {
  if (column.IsNull(row)) {
    out.push_back(direction.nulls_first ? '\x00' : '\x02');
    return;
  }
  out.push_back('\x01');
  const size_t begin = out.size();
  AppendValue(column, row, out);
  if (direction.is_descending) {
    for (size_t i = begin; i < out.size(); ++i) {
      out[i] = static_cast<char>(~out[i]);
    }
  }
}

}  // namespace millrace
