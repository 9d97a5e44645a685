#include "millrace/data/encoded_keys.h"

#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "millrace/base/check.h"
#include "millrace/data/row_encoding.h"

namespace millrace {

namespace {

constexpr uint32_t kPresenceBytes = 1;
constexpr uint32_t kLengthBytes = sizeof(uint32_t);
/// Whether a value's bytes in the column are its encoded bytes.
bool IsStoredAsEncoded(TypeId type) {
  return type != TypeId::kBoolean && type != TypeId::kFloat32 && type != TypeId::kFloat64;
}

uint32_t FixedBytes(DataType type) {
  return type.id == TypeId::kBoolean ? 1 : static_cast<uint32_t>(type.width());
}

/// Copies at most TextView::kInlineMax bytes by overlapping words: a call of memcpy costs more.
void CopyInline(std::string_view text, char* to) {
  const char* const from = text.data();
  const size_t size = text.size();
  if (size >= sizeof(uint64_t)) {
    std::memcpy(to, from, sizeof(uint64_t));
    std::memcpy(to + size - sizeof(uint32_t), from + size - sizeof(uint32_t), sizeof(uint32_t));
  } else if (size >= sizeof(uint32_t)) {
    std::memcpy(to, from, sizeof(uint32_t));
    std::memcpy(to + size - sizeof(uint32_t), from + size - sizeof(uint32_t), sizeof(uint32_t));
  } else {
    for (size_t i = 0; i < size; ++i) {
      to[i] = from[i];
    }
  }
}

void WriteText(const Column& column, uint32_t row, char* to) {
  const std::string_view text = column.Text(row);
  const auto size = static_cast<uint32_t>(text.size());
  std::memcpy(to, &size, sizeof(size));
  if (size <= TextView::kInlineMax) {
    CopyInline(text, to + kLengthBytes);
  } else {
    std::memcpy(to + kLengthBytes, text.data(), size);
  }
}

/// Writes values of one width from the column's own bytes, each behind its presence byte.
template <size_t kWidth>
void WriteFixed(const Column& column, std::span<const uint32_t> rows, char* bytes,
                std::span<uint32_t> at) {
  const auto* values = reinterpret_cast<const char*>(column.values_buffer()->data());
  for (size_t i = 0; i < rows.size(); ++i) {
    char* const to = bytes + at[i];
    at[i] += kPresenceBytes;
    if (column.IsNull(rows[i])) {
      *to = 0;
      continue;
    }
    *to = 1;
    std::memcpy(to + kPresenceBytes, values + rows[i] * kWidth, kWidth);
    at[i] += static_cast<uint32_t>(kWidth);
  }
}

}  // namespace

void EncodedKeys::Encode(const Batch& batch, std::span<const size_t> columns) {
  if (all_rows_.size() < batch.rows()) {
    all_rows_.resize(batch.rows());
    std::iota(all_rows_.begin(), all_rows_.end(), 0);
  }
  Encode(batch, columns, std::span(all_rows_).first(batch.rows()), {});
}

void EncodedKeys::Encode(const Batch& batch, std::span<const size_t> columns,
                         std::span<const uint32_t> rows, std::span<const int64_t> prefixes) {
  const uint32_t prefix_bytes = prefixes.empty() ? 0 : sizeof(int64_t);
  ends_.assign(rows.size(), prefix_bytes);
  for (const size_t column : columns) {
    AddSizes(batch.column(column), rows);
  }
  size_t total = 0;
  for (uint32_t& end : ends_) {
    total += std::exchange(end, static_cast<uint32_t>(total));
  }
  MR_CHECK(total <= std::numeric_limits<uint32_t>::max(), "keys of {} bytes", total);
  if (capacity_ < total) {
    capacity_ = total + total / 2;
    bytes_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  if (prefix_bytes != 0) {
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(bytes_.get() + ends_[i], &prefixes[rows[i]], prefix_bytes);
      ends_[i] += prefix_bytes;
    }
  }
  for (const size_t column : columns) {
    Write(batch.column(column), rows);
  }
}

void EncodedKeys::AddSizes(const Column& column, std::span<const uint32_t> rows) {
  if (!column.type().is_variable()) {
    const uint32_t bytes = kPresenceBytes + FixedBytes(column.type());
    for (size_t i = 0; i < rows.size(); ++i) {
      ends_[i] += column.IsNull(rows[i]) ? kPresenceBytes : bytes;
    }
    return;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (column.IsNull(rows[i])) {
      ends_[i] += kPresenceBytes;
      continue;
    }
    const std::string_view text = column.Text(rows[i]);
    ends_[i] += kPresenceBytes + kLengthBytes + static_cast<uint32_t>(text.size());
    // It may lie in memory that another processor wrote.
    __builtin_prefetch(text.data());
  }
}

void EncodedKeys::Write(const Column& column, std::span<const uint32_t> rows) {
  char* const bytes = bytes_.get();
  if (column.type().is_variable()) {
    const auto views = column.Values<TextView>();
    for (size_t i = 0; i < rows.size(); ++i) {
      char* const to = bytes + ends_[i];
      if (column.IsNull(rows[i])) {
        *to = 0;
        ends_[i] += kPresenceBytes;
        continue;
      }
      *to = 1;
      WriteText(column, rows[i], to + kPresenceBytes);
      ends_[i] += kPresenceBytes + kLengthBytes + views[rows[i]].size();
    }
    return;
  }
  if (!IsStoredAsEncoded(column.type().id)) {
    std::string encoded;
    for (size_t i = 0; i < rows.size(); ++i) {
      encoded.clear();
      AppendEncoded(column, rows[i], encoded);
      std::memcpy(bytes + ends_[i], encoded.data(), encoded.size());
      ends_[i] += static_cast<uint32_t>(encoded.size());
    }
    return;
  }
  switch (column.type().width()) {
    case sizeof(int16_t):
      return WriteFixed<sizeof(int16_t)>(column, rows, bytes, ends_);
    case sizeof(int32_t):
      return WriteFixed<sizeof(int32_t)>(column, rows, bytes, ends_);
    case sizeof(int64_t):
      return WriteFixed<sizeof(int64_t)>(column, rows, bytes, ends_);
    default:
      return WriteFixed<sizeof(Int128)>(column, rows, bytes, ends_);
  }
}

}  // namespace millrace
