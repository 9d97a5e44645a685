#pragma once

#include <cstdint>
#include <span>

#include "millrace/base/bytes.h"
#include "millrace/base/result.h"

namespace millrace::columnar {

/// Appends integers as a block (IntegerKind): the distance from the smallest value, or where that
/// is narrower the distance of neighbours from their smallest distance, in 0, 1, 2, 4 or 8 bytes.
/// A constant column and a column that counts up take no bytes per value. T: int16, int32, int64.
template <typename T>
void EncodeIntegers(std::span<const T> values, Bytes& out);

/// Reads a block of `out.size()` integers. Values that do not fit T wrap. kCorruption.
template <typename T>
Status DecodeIntegers(ByteReader& reader, std::span<T> out);

}  // namespace millrace::columnar
