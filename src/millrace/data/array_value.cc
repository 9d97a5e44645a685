#include "millrace/data/array_value.h"

#include "millrace/base/check.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/sort_encoding.h"

namespace millrace {

void AppendElement(const Column& column, size_t row, std::string& array) {
  AppendSortable(column, row, {}, array);
}

void AppendElements(const Column& column, std::string& array) {
  for (size_t row = 0; row < column.size(); ++row) {
    AppendElement(column, row, array);
  }
}

bool IsValidArray(std::string_view array, const DataType& type) {
  const DataType element = type.element_type();
  while (!array.empty()) {
    const size_t size = SortableSize(array, element);
    if (size == 0) {
      return false;
    }
    array.remove_prefix(size);
  }
  return true;
}

ArrayReader::ArrayReader(std::string_view array, const DataType& type)
    : rest_(array), element_(type.element_type()) {}

bool ArrayReader::Next() {
  if (rest_.empty()) {
    return false;
  }
  const size_t size = SortableSize(rest_, element_);
  MR_CHECK(size > 0, "an array of {} is damaged", element_.ToString());
  encoded_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool ArrayReader::is_null() const { return encoded_.size() == 1; }

void ArrayReader::AppendTo(ColumnBuilder& builder) const { DecodeSortable(encoded_, builder); }

size_t ArraySize(std::string_view array, const DataType& type) {
  size_t size = 0;
  for (ArrayReader reader(array, type); reader.Next();) {
    ++size;
  }
  return size;
}

Column ElementsOf(std::string_view array, const DataType& type) {
  ColumnBuilder builder(type.element_type());
  for (ArrayReader reader(array, type); reader.Next();) {
    reader.AppendTo(builder);
  }
  return builder.Finish();
}

}  // namespace millrace
