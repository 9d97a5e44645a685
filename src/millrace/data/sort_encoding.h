#pragma once

#include <string>
#include <string_view>

#include "millrace/data/column.h"

namespace millrace {

class ColumnBuilder;

/// How the rows of an ORDER BY go by one value.
struct SortDirection {
  bool is_descending = false;
  bool nulls_first = false;
};

/// Appends a value as bytes that compare, as unsigned bytes, as the values do: what is in front
/// decides. Floating point as PostgreSQL orders it (NaN last, -0 = 0); intervals of one length go
/// by months, then days; jsonb by its text. Stored in state frames, so the form never changes.
///
/// One byte for NULL or not, and unless NULL: numbers and times with the sign bit flipped, the
/// first byte the highest; text and bytea with each zero byte followed by 0xff, and 0x00 0x01
/// behind them. A descending value has its bytes inverted.
void AppendSortable(const Column& column, size_t row, SortDirection direction, std::string& out);

/// Returns how many bytes the value at the front of `encoded` takes, which is of `type` and was
/// appended with an ascending direction, NULLs last; 0 when it is not whole.
size_t SortableSize(std::string_view encoded, const DataType& type);

/// Appends the value that `encoded` is all of, as SortableSize has it, to a builder of its type.
/// Gives back what was appended, but -0 as 0 and each NaN as the same.
void DecodeSortable(std::string_view encoded, ColumnBuilder& builder);

}  // namespace millrace
