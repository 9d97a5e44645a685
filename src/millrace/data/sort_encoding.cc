#include "millrace/data/sort_encoding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "millrace/base/error.h"
#include "millrace/data/column_builder.h"

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
    case TypeId::kArray:
      return AppendText(column.Text(row), out);
  }
  MR_CHECK(false, "type {}", static_cast<int>(column.type().id));
}

constexpr std::string_view kTextEnd("\0\x01", 2);

size_t TextSize(std::string_view encoded) {
  for (size_t zero = encoded.find('\0'); zero < encoded.size();
       zero = encoded.find('\0', zero + 2)) {
    if (encoded.substr(zero, kTextEnd.size()) == kTextEnd) {
      return zero + kTextEnd.size();
    }
  }
  return 0;
}

/// Of a value that is not NULL, without the byte that says so; 0 for text.
size_t FixedSize(TypeId id) {
  switch (id) {
    case TypeId::kBoolean:
      return 1;
    case TypeId::kInterval:
      return sizeof(Int128) + 2 * sizeof(int32_t);
    default: {
      const DataType type = DataType::Of(id);
      return type.is_variable() ? 0 : type.width();
    }
  }
}

template <typename Unsigned>
Unsigned ReadBigEndian(std::string_view* encoded) {
  Unsigned value = 0;
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = static_cast<Unsigned>(value << 8U) | static_cast<uint8_t>((*encoded)[i]);
  }
  encoded->remove_prefix(sizeof(Unsigned));
  return value;
}

template <typename Unsigned, typename T>
T ReadSigned(std::string_view* encoded) {
  constexpr Unsigned kSign = Unsigned{1} << (sizeof(Unsigned) * 8 - 1);
  return static_cast<T>(ReadBigEndian<Unsigned>(encoded) ^ kSign);
}

template <typename Unsigned, typename T>
T ReadFloat(std::string_view encoded) {
  constexpr Unsigned kSign = Unsigned{1} << (sizeof(Unsigned) * 8 - 1);
  const auto bits = ReadBigEndian<Unsigned>(&encoded);
  return std::bit_cast<T>((bits & kSign) != 0 ? bits ^ kSign : ~bits);
}

Interval ReadInterval(std::string_view encoded) {
  const auto order = ReadSigned<Uint128, Int128>(&encoded);
  Interval value;
  value.months = ReadSigned<uint32_t, int32_t>(&encoded);
  value.days = ReadSigned<uint32_t, int32_t>(&encoded);
  value.micros = static_cast<Micros>(order - IntervalOrder(value));
  return value;
}

Uuid ReadUuid(std::string_view encoded) {
  Uuid value{};
  std::ranges::transform(encoded, value.begin(),
                         [](char byte) { return static_cast<std::byte>(byte); });
  return value;
}

void DecodeText(std::string_view encoded, ColumnBuilder& builder) {
  encoded.remove_suffix(kTextEnd.size());
  std::string text;
  text.reserve(encoded.size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    text.push_back(encoded[i]);
    i += encoded[i] == '\0' ? 1 : 0;
  }
  builder.AppendText(text);
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

size_t SortableSize(std::string_view encoded, const DataType& type) {
  if (encoded.empty() || encoded.front() != '\x01') {
    return encoded.starts_with('\x02') ? 1 : 0;
  }
  if (type.is_variable()) {
    const size_t size = TextSize(encoded.substr(1));
    return size == 0 ? 0 : size + 1;
  }
  const size_t size = 1 + FixedSize(type.id);
  return encoded.size() < size ? 0 : size;
}

void DecodeSortable(std::string_view encoded, ColumnBuilder& builder) {
  const bool is_null = encoded.front() != '\x01';
  encoded.remove_prefix(1);
  if (is_null) {
    return builder.AppendNull();
  }
  switch (builder.type().id) {
    case TypeId::kBoolean:
      return builder.AppendBool(encoded.front() != 0);
    case TypeId::kInt16:
      return builder.AppendFixed(ReadSigned<uint16_t, int16_t>(&encoded));
    case TypeId::kInt32:
    case TypeId::kDate:
      return builder.AppendFixed(ReadSigned<uint32_t, int32_t>(&encoded));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return builder.AppendFixed(ReadSigned<uint64_t, int64_t>(&encoded));
    case TypeId::kFloat32:
      return builder.AppendFixed(ReadFloat<uint32_t, float>(encoded));
    case TypeId::kFloat64:
      return builder.AppendFixed(ReadFloat<uint64_t, double>(encoded));
    case TypeId::kNumeric:
      return builder.AppendFixed(ReadSigned<Uint128, Int128>(&encoded));
    case TypeId::kInterval:
      return builder.AppendFixed(ReadInterval(encoded));
    case TypeId::kUuid:
      return builder.AppendFixed(ReadUuid(encoded));
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return DecodeText(encoded, builder);
  }
}

}  // namespace millrace
