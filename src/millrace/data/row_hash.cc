#include "millrace/data/row_hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "millrace/base/check.h"
#include "millrace/base/checksum.h"

namespace millrace {

namespace {

constexpr uint64_t kNullHash = 0x6e756c6c;

/// One representative of all equal floats.
double CanonicalFloat(double value) {
  if (std::isnan(value)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return value == 0 ? 0.0 : value;
}

/// Austin Appleby, MurmurHash3, public domain.
uint64_t Fmix64(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccd;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53;
  h ^= h >> 33;
  return h;
}

uint64_t HashWide(Int128 value) {
  return Fmix64(static_cast<uint64_t>(value)) +
         static_cast<uint64_t>(static_cast<Uint128>(value) >> 64);
}

template <typename T>
uint64_t HashFixed(T value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  } else {
    return std::bit_cast<uint64_t>(CanonicalFloat(double{value}));
  }
}

/// Mixes the hash of each row's value, given by `value_of(row)`, into `out`.
template <typename ValueOf>
void MixColumn(const Column& column, std::span<uint64_t> out, ValueOf value_of) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  if (!column.may_have_nulls()) {
    for (size_t row = 0; row < out.size(); ++row) {
      out[row] = Fmix64(out[row] * kMultiplier + value_of(row));
    }
    return;
  }
  for (size_t row = 0; row < out.size(); ++row) {
    const uint64_t value = column.IsNull(row) ? kNullHash : value_of(row);
    out[row] = Fmix64(out[row] * kMultiplier + value);
  }
}

template <typename T>
void MixFixed(const Column& column, std::span<uint64_t> out) {
  const auto values = column.Values<T>();
  MixColumn(column, out, [&](size_t row) { return HashFixed(values[row]); });
}

void MixWide(const Column& column, std::span<uint64_t> out) {
  if (column.type().id == TypeId::kInterval) {
    const auto values = column.Values<Interval>();
    return MixColumn(column, out, [&](size_t row) { return HashWide(IntervalOrder(values[row])); });
  }
  if (column.type().id == TypeId::kUuid) {
    const auto values = column.Values<Uuid>();
    return MixColumn(column, out,
                     [&](size_t row) { return HashWide(std::bit_cast<Int128>(values[row])); });
  }
  const auto values = column.Values<Int128>();
  MixColumn(column, out, [&](size_t row) { return HashWide(values[row]); });
}

void MixAny(const Column& column, std::span<uint64_t> out) {
  switch (column.type().id) {
    case TypeId::kBoolean:
      return MixColumn(column, out, [&](size_t row) { return uint64_t{column.Bool(row)}; });
    case TypeId::kInt16:
      return MixFixed<int16_t>(column, out);
    case TypeId::kInt32:
    case TypeId::kDate:
      return MixFixed<int32_t>(column, out);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return MixFixed<int64_t>(column, out);
    case TypeId::kFloat32:
      return MixFixed<float>(column, out);
    case TypeId::kFloat64:
      return MixFixed<double>(column, out);
    case TypeId::kNumeric:
    case TypeId::kInterval:
    case TypeId::kUuid:
      return MixWide(column, out);
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return MixColumn(column, out, [&](size_t row) { return Xxh3(column.Text(row)); });
  }
}

}  // namespace

void HashRows(const Batch& batch, std::span<const size_t> columns, std::span<uint64_t> out) {
  MR_DCHECK(out.size() == batch.rows());
  std::ranges::fill(out, uint64_t{0});
  for (const size_t index : columns) {
    MixAny(batch.column(index), out);
  }
}

}  // namespace millrace
