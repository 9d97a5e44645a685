#pragma once

#include <cstdint>
#include <span>

#include "millrace/data/batch.h"

namespace millrace {

/// Sets out[row] to the hash of `columns` for all rows of `batch`; out.size() = batch.rows(). It
/// depends on SQL equality alone, not on batches: text inline or referenced, -0 and 0, all NaN, `1
/// month` and `30 days`, and equal integers of different width have one hash. Stored data depends
/// on it: never change it.
///
/// h = 0; per column h = fmix64(h * 0x9e3779b97f4a7c15 + v), with fmix64 of MurmurHash3 and v:
/// integers, date and timestamptz their value as two's complement of 64 bits; boolean 0 or 1;
/// floats the bits of the double; numeric, interval (its total in microseconds) and uuid fmix64(low
/// half) + high half; text, bytea and jsonb xxh3-64; NULL 0x6e756c6c.
void HashRows(const Batch& batch, std::span<const size_t> columns, std::span<uint64_t> out);

}  // namespace millrace
