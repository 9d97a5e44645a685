#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "millrace/base/ids.h"
#include "millrace/base/int128.h"

namespace millrace {

/// The SQL types of Millrace. Numbers are part of stored formats: never change or reuse one.
enum class TypeId : uint8_t {
  kBoolean = 1,
  kInt16 = 2,    ///< smallint
  kInt32 = 3,    ///< integer
  kInt64 = 4,    ///< bigint
  kFloat32 = 5,  ///< real
  kFloat64 = 6,  ///< double precision
  kNumeric = 7,  ///< numeric(precision, scale), a 128-bit integer times 10^-scale
  kText = 8,     ///< UTF-8 without NUL
  kBytea = 9,
  kDate = 10,         ///< int32 days since 1970-01-01
  kTimestamptz = 11,  ///< int64 microseconds since 1970-01-01 00:00:00 UTC
  kInterval = 12,     ///< Interval
  kUuid = 13,         ///< 16 bytes in network order
  kJsonb = 14,        ///< canonical JSON text: see data/json_text.h
  kTimestamp = 15,    ///< what a clock of some zone shows, as int64 microseconds as if it were UTC
  kArray = 16,        ///< of one dimension: see data/array_value.h
};

/// A type with its parameters. Two types are equal when all of it is.
struct DataType {
  static constexpr uint8_t kNumericPrecisionMax = 38;
  static constexpr uint8_t kNumericScaleDefault = 9;

  TypeId id = TypeId::kText;
  uint8_t precision = 0;  ///< kNumeric only, and arrays of it: 1..38.
  uint8_t scale = 0;      ///< kNumeric only, and arrays of it: 0..precision.
  TypeId element{};       ///< kArray only, and no array.

  static constexpr DataType Of(TypeId id) { return {.id = id}; }
  static constexpr DataType Numeric(uint8_t precision = kNumericPrecisionMax,
                                    uint8_t scale = kNumericScaleDefault) {
    return {.id = TypeId::kNumeric, .precision = precision, .scale = scale};
  }

  static constexpr DataType Array(const DataType& element) {
    return {.id = TypeId::kArray,
            .precision = element.precision,
            .scale = element.scale,
            .element = element.id};
  }
  constexpr DataType element_type() const {
    return {.id = element, .precision = precision, .scale = scale};
  }

  /// The number of the type in stored formats, which keep precision and scale beside it.
  constexpr uint8_t stored_id() const {
    return is_array() ? static_cast<uint8_t>(kStoredArray | static_cast<uint8_t>(element))
                      : static_cast<uint8_t>(id);
  }
  /// May give a type that does not exist: see is_known.
  static constexpr DataType FromStored(uint8_t stored_id, uint8_t precision, uint8_t scale) {
    const DataType plain{.id = static_cast<TypeId>(stored_id & ~kStoredArray),
                         .precision = precision,
                         .scale = scale};
    return (stored_id & kStoredArray) != 0 ? Array(plain) : plain;
  }
  constexpr bool is_known() const {
    const TypeId plain = is_array() ? element : id;
    return plain >= TypeId::kBoolean && plain <= TypeId::kTimestamp;
  }

  /// PostgreSQL's name, e.g. "double precision", "numeric(12,2)" or "bigint[]".
  std::string ToString() const;

  constexpr bool is_array() const { return id == TypeId::kArray; }
  bool is_integer() const {
    return id == TypeId::kInt16 || id == TypeId::kInt32 || id == TypeId::kInt64;
  }
  bool is_number() const {
    return is_integer() || id == TypeId::kFloat32 || id == TypeId::kFloat64 ||
           id == TypeId::kNumeric;
  }
  /// Values are views into text buffers (TextView) instead of fixed-width values.
  bool is_variable() const {
    return id == TypeId::kText || id == TypeId::kBytea || id == TypeId::kJsonb || is_array();
  }
  /// Bytes of one value in a column; 16 for views; 0 for boolean, which is one bit.
  size_t width() const;

  friend constexpr bool operator==(const DataType&, const DataType&) = default;

 private:
  static constexpr uint8_t kStoredArray = 0x80;
};

/// PostgreSQL's interval: months and days do not convert to time.
/// Compares as PostgreSQL does, with 30 days a month and 24 hours a day (see IntervalOrder).
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  Micros micros = 0;

  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

/// Total microseconds of an interval for comparison; equal for `1 month` and `30 days`.
Int128 IntervalOrder(const Interval& interval);

using Uuid = std::array<std::byte, 16>;

inline constexpr Micros kMicrosPerSecond = 1'000'000;
inline constexpr Micros kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Timestamps of both kinds outside are refused everywhere: 0001-01-01 to 9999-12-31
/// 23:59:59.999999 UTC.
inline constexpr Micros kTimestampMin = -62'135'596'800 * kMicrosPerSecond;
inline constexpr Micros kTimestampMax = 253'402'300'800 * kMicrosPerSecond - 1;
inline constexpr int32_t kDateMin = -719'162;
inline constexpr int32_t kDateMax = 2'932'896;

}  // namespace millrace
