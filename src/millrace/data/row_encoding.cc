#include "millrace/data/row_encoding.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "millrace/base/checksum.h"

namespace millrace {

namespace {

template <typename T>
void AppendBytes(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
T CanonicalFloat(T value) {
  if (std::isnan(value)) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  return value == T{0} ? T{0} : value;
}

std::unexpected<Error> Damaged() {
  return Err(ErrorCode::kCorruption, "an encoded row does not fit its types");
}

template <typename T>
Status DecodeFixed(std::string_view* encoded, ColumnBuilder& builder) {
  if (encoded->size() < sizeof(T)) {
    return Damaged();
  }
  T value;
  std::memcpy(&value, encoded->data(), sizeof(T));
  builder.AppendFixed(value);
  encoded->remove_prefix(sizeof(T));
  return {};
}

Status DecodeBool(std::string_view* encoded, ColumnBuilder& builder) {
  if (encoded->empty()) {
    return Damaged();
  }
  builder.AppendBool(encoded->front() != 0);
  encoded->remove_prefix(1);
  return {};
}

Status DecodeText(std::string_view* encoded, ColumnBuilder& builder) {
  uint32_t size = 0;
  if (encoded->size() < sizeof(size)) {
    return Damaged();
  }
  std::memcpy(&size, encoded->data(), sizeof(size));
  encoded->remove_prefix(sizeof(size));
  if (encoded->size() < size) {
    return Damaged();
  }
  builder.AppendText(encoded->substr(0, size));
  encoded->remove_prefix(size);
  return {};
}

}  // namespace

void AppendEncoded(const Column& column, size_t row, std::string& out) {
  if (column.IsNull(row)) {
    out.push_back(0);
    return;
  }
  out.push_back(1);
  switch (column.type().id) {
    case TypeId::kBoolean:
      out.push_back(column.Bool(row) ? 1 : 0);
      return;
    case TypeId::kFloat32:
      return AppendBytes(CanonicalFloat(column.Values<float>()[row]), out);
    case TypeId::kFloat64:
      return AppendBytes(CanonicalFloat(column.Values<double>()[row]), out);
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray: {
      const std::string_view text = column.Text(row);
      AppendBytes(static_cast<uint32_t>(text.size()), out);
      out.append(text);
      return;
    }
    default: {
      const size_t width = column.type().width();
      out.append(reinterpret_cast<const char*>(column.values_buffer()->data()) + row * width,
                 width);
      return;
    }
  }
}

Status DecodeInto(std::string_view* encoded, ColumnBuilder& builder) {
  if (encoded->empty()) {
    return Damaged();
  }
  const char present = encoded->front();
  encoded->remove_prefix(1);
  if (present == 0) {
    builder.AppendNull();
    return {};
  }
  if (builder.type().is_variable()) {
    return DecodeText(encoded, builder);
  }
  switch (builder.type().width()) {
    case 0:
      return DecodeBool(encoded, builder);
    case sizeof(int16_t):
      return DecodeFixed<int16_t>(encoded, builder);
    case sizeof(int32_t):
      return DecodeFixed<int32_t>(encoded, builder);
    case sizeof(int64_t):
      return DecodeFixed<int64_t>(encoded, builder);
    default:
      return DecodeFixed<Int128>(encoded, builder);
  }
}

uint64_t HashEncoded(std::string_view encoded) { return Xxh3(encoded); }

}  // namespace millrace
