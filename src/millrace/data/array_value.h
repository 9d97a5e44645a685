#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "millrace/data/column.h"

namespace millrace {

class ColumnBuilder;

// An array, in columns and as a Value, is the concatenation of its elements in the form of
// AppendSortable (data/sort_encoding.h), ascending and NULLs last. So arrays of one type compare by
// their bytes as PostgreSQL compares them: the first element that differs decides, then the length;
// and the concatenation of two arrays is that of their bytes. Indexes begin with 1.

/// Appends the value at `row` as an element.
void AppendElement(const Column& column, size_t row, std::string& array);

/// Appends all values of a column.
void AppendElements(const Column& column, std::string& array);

/// Whether the bytes are an array of `type`.
bool IsValidArray(std::string_view array, const DataType& type);

/// Goes through the elements of a valid array.
class ArrayReader {
 public:
  /// `type`: the array's; the bytes outlive the reader.
  ArrayReader(std::string_view array, const DataType& type);

  /// Moves to the next element, at first to the first. False behind the last.
  bool Next();
  /// The encoded element: equal to another when the values are.
  std::string_view encoded() const { return encoded_; }
  bool is_null() const;
  /// Appends it to a builder of the element type.
  void AppendTo(ColumnBuilder& builder) const;

 private:
  std::string_view rest_;
  const DataType element_;
  std::string_view encoded_;
};

/// Number of elements.
size_t ArraySize(std::string_view array, const DataType& type);

/// Returns the elements of a valid array of `type`.
Column ElementsOf(std::string_view array, const DataType& type);

}  // namespace millrace
