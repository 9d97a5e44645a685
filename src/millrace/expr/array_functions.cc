#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "millrace/data/array_value.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/cast_kernels.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

// All arrays of a call are of one type (functions.h); an element that is compared or added is an
// array of one.

constexpr TypeId kArray = TypeId::kArray;
constexpr TypeId kText = TypeId::kText;
constexpr TypeId kInt = TypeId::kInt32;

/// The array of argument `index`.
ArrayReader ReaderOf(const KernelCall& call, size_t index, size_t row) {
  const Operand& operand = call.argument(index);
  return {operand.Text(row), operand.column.type()};
}

Column MakeArrayKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    for (const Operand& operand : call.arguments) {
      AppendElement(operand.column, operand.constant ? 0 : row, out);
    }
    return true;
  });
}

Column SubscriptKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    ArrayReader reader = ReaderOf(call, 0, row);
    int32_t left = call.argument(1).At<int32_t>(row);
    bool found = left > 0;
    while (found && left > 0) {
      found = reader.Next();
      --left;
    }
    if (found) {
      reader.AppendTo(out);
    } else {
      out.AppendNull();
    }
  });
}

int32_t SizeAt(const KernelCall& call, size_t row) {
  return static_cast<int32_t>(
      ArraySize(call.argument(0).Text(row), call.argument(0).column.type()));
}

Column CardinalityKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) { return SizeAt(call, row); });
}

/// NULL for an empty array and for dimensions that are not there.
Column LengthKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const int32_t size = call.argument(1).At<int32_t>(row) == 1 ? SizeAt(call, row) : 0;
    if (size > 0) {
      out.AppendFixed(size);
    } else {
      out.AppendNull();
    }
  });
}

/// NULL is no elements, unless all are NULL.
Column ConcatenateKernel(const KernelCall& call) {
  std::string array;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    array.clear();
    bool all_null = true;
    for (const Operand& operand : call.arguments) {
      if (!operand.IsNull(row)) {
        array += operand.Text(row);
        all_null = false;
      }
    }
    if (all_null) {
      out.AppendNull();
    } else {
      AppendBuilt(call, row, array, out);
    }
  });
}

/// The index of the element `wanted`; 0 when there is none.
int32_t PositionOf(std::string_view wanted, ArrayReader reader) {
  for (int32_t index = 1; reader.Next(); ++index) {
    if (reader.encoded() == wanted) {
      return index;
    }
  }
  return 0;
}

bool HasNull(ArrayReader reader) {
  bool found = false;
  while (!found && reader.Next()) {
    found = reader.is_null();
  }
  return found;
}

Column PositionKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const int32_t index = PositionOf(call.argument(1).Text(row), ReaderOf(call, 0, row));
    if (index > 0) {
      out.AppendFixed(index);
    } else {
      out.AppendNull();
    }
  });
}

Column RemoveKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view unwanted = call.argument(1).Text(row);
    for (ArrayReader reader = ReaderOf(call, 0, row); reader.Next();) {
      out += reader.encoded() == unwanted ? "" : reader.encoded();
    }
    return true;
  });
}

/// The first argument is the array of the one value: NULL when that is NULL, or when it is not
/// found and might be one of the NULLs.
Column EqualAnyKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view wanted = call.argument(0).Text(row);
    if (HasNull(ReaderOf(call, 0, row))) {
      out.AppendNull();
    } else if (PositionOf(wanted, ReaderOf(call, 1, row)) > 0) {
      out.AppendBool(true);
    } else if (HasNull(ReaderOf(call, 1, row))) {
      out.AppendNull();
    } else {
      out.AppendBool(false);
    }
  });
}

std::vector<std::string_view> SortedElements(const KernelCall& call, size_t index, size_t row) {
  std::vector<std::string_view> elements;
  for (ArrayReader reader = ReaderOf(call, index, row); reader.Next();) {
    elements.push_back(reader.encoded());
  }
  std::ranges::sort(elements);
  return elements;
}

/// Whether argument `outer` has all elements of the other; a NULL is like no other.
bool Contains(const KernelCall& call, size_t outer, size_t row) {
  const auto elements = SortedElements(call, outer, row);
  for (ArrayReader reader = ReaderOf(call, 1 - outer, row); reader.Next();) {
    if (reader.is_null() || !std::ranges::binary_search(elements, reader.encoded())) {
      return false;
    }
  }
  return true;
}

template <size_t kOuter>
Column ContainsKernel(const KernelCall& call) {
  return BuildRows(
      call, [&](size_t row, ColumnBuilder& out) { out.AppendBool(Contains(call, kOuter, row)); });
}

Column OverlapKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const auto elements = SortedElements(call, 0, row);
    bool found = false;
    for (ArrayReader reader = ReaderOf(call, 1, row); !found && reader.Next();) {
      found = !reader.is_null() && std::ranges::binary_search(elements, reader.encoded());
    }
    out.AppendBool(found);
  });
}

/// The third argument stands for NULLs; without it, or when it is NULL, they are left out.
Column ToStringKernel(const KernelCall& call) {
  const Operand& array = call.argument(0);
  const Operand& separator = call.argument(1);
  std::string text;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    if (array.IsNull(row) || separator.IsNull(row)) {
      return out.AppendNull();
    }
    const Column elements = ElementsOf(array.Text(row), array.column.type());
    const bool has_word = call.arguments.size() == 3 && !call.argument(2).IsNull(row);
    text.clear();
    bool first = true;
    for (size_t i = 0; i < elements.size(); ++i) {
      if (elements.IsNull(i) && !has_word) {
        continue;
      }
      text += first ? "" : separator.Text(row);
      first = false;
      if (elements.IsNull(i)) {
        text += call.argument(2).Text(row);
      } else if (elements.type().id == TypeId::kBoolean) {
        text += elements.Bool(i) ? 't' : 'f';
      } else {
        AppendValueText(text, ValueAt(elements, i), elements.type());
      }
    }
    AppendBuilt(call, row, text, out);
  });
}

/// The parts of `text`; each character when there is no separator.
std::vector<std::string_view> Split(std::string_view text,
                                    std::optional<std::string_view> separator) {
  std::vector<std::string_view> parts;
  while (!text.empty() && !separator) {
    size_t end = 1;
    while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) {
      ++end;
    }
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (text.empty()) {
    return parts;
  }
  for (size_t end = 0; !separator->empty() && (end = text.find(*separator)) != text.npos;) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator->size());
  }
  parts.push_back(text);
  return parts;
}

Column FromStringKernel(const KernelCall& call) {
  const Operand& text = call.argument(0);
  const Operand& separator = call.argument(1);
  std::string array;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    if (text.IsNull(row)) {
      return out.AppendNull();
    }
    const auto parts = Split(
        text.Text(row), separator.IsNull(row) ? std::nullopt : std::optional(separator.Text(row)));
    const bool has_null = call.arguments.size() == 3 && !call.argument(2).IsNull(row);
    ColumnBuilder elements(call.type.element_type());
    for (const std::string_view part : parts) {
      if (has_null && part == call.argument(2).Text(row)) {
        elements.AppendNull();
      } else {
        elements.AppendText(part);
      }
    }
    array.clear();
    AppendElements(elements.Finish(), array);
    AppendBuilt(call, row, array, out);
  });
}

DataType ArrayOfFirst(std::span<const DataType> arguments) {
  return DataType::Array(arguments.front());
}
DataType FirstType(std::span<const DataType> arguments) { return arguments.front(); }
DataType ElementOfFirst(std::span<const DataType> arguments) {
  return arguments.front().element_type();
}

ScalarFunction Boolean(std::string_view name, Kernel kernel) {
  return {.name = name,
          .arguments = {kArray, kArray},
          .result = DataType::Of(TypeId::kBoolean),
          .kernel = kernel,
          .may_fail = false};
}

ScalarFunction Integer(std::string_view name, std::vector<TypeId> arguments, Kernel kernel) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = DataType::Of(kInt),
          .kernel = kernel,
          .may_fail = false,
          .may_give_null = true};
}

ScalarFunction Joining(std::string_view name, std::vector<TypeId> arguments, DataType result,
                       Kernel kernel) {
  return {.name = name,
          .arguments = std::move(arguments),
          .result = result,
          .kernel = kernel,
          .strict = false,
          .may_give_null = true};
}

}  // namespace

void AddArrayFunctions(std::vector<ScalarFunction>& out) {
  for (auto id = static_cast<uint8_t>(TypeId::kBoolean);
       id <= static_cast<uint8_t>(TypeId::kTimestamp); ++id) {
    out.push_back({.name = "ARRAY",
                   .arguments = {static_cast<TypeId>(id)},
                   .kernel = MakeArrayKernel,
                   .result_rule = ArrayOfFirst,
                   .variadic = true,
                   .strict = false});
  }
  out.push_back({.name = "[]",
                 .arguments = {kArray, kInt},
                 .kernel = SubscriptKernel,
                 .result_rule = ElementOfFirst,
                 .may_fail = false,
                 .may_give_null = true});
  for (const std::string_view name : {"||", "array_append", "array_prepend", "array_cat"}) {
    out.push_back({.name = name,
                   .arguments = {kArray, kArray},
                   .kernel = ConcatenateKernel,
                   .result_rule = FirstType,
                   .strict = false,
                   .may_give_null = true});
  }
  out.push_back({.name = "array_remove",
                 .arguments = {kArray, kArray},
                 .kernel = RemoveKernel,
                 .result_rule = FirstType});
  out.push_back(Integer("cardinality", {kArray}, CardinalityKernel));
  out.back().may_give_null = false;
  out.push_back(Integer("array_length", {kArray, kInt}, LengthKernel));
  out.push_back(Integer("array_position", {kArray, kArray}, PositionKernel));
  out.push_back(Boolean("= ANY", EqualAnyKernel));
  out.back().may_give_null = true;
  out.push_back(Boolean("@>", ContainsKernel<0>));
  out.push_back(Boolean("<@", ContainsKernel<1>));
  out.push_back(Boolean("&&", OverlapKernel));
  const DataType text = DataType::Of(kText);
  out.push_back(Joining("array_to_string", {kArray, kText}, text, ToStringKernel));
  out.push_back(Joining("array_to_string", {kArray, kText, kText}, text, ToStringKernel));
  const DataType texts = DataType::Array(text);
  out.push_back(Joining("string_to_array", {kText, kText}, texts, FromStringKernel));
  out.push_back(Joining("string_to_array", {kText, kText, kText}, texts, FromStringKernel));
}

Column CastArray(const KernelCall& call) {
  const Operand& input = call.argument(0);
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const Operand elements{.column = ElementsOf(input.Text(row), input.column.type())};
    RowErrors errors;
    const Column cast = CastColumn({.type = call.type.element_type(),
                                    .rows = elements.column.size(),
                                    .arguments = {&elements, 1},
                                    .validity = elements.column.validity_buffer(),
                                    .errors = errors});
    AppendElements(cast, out);
    if (errors.empty()) {
      return true;
    }
    call.Fail(row, errors.entries().front().code, errors.entries().front().message);
    return false;
  });
}

}  // namespace millrace::internal
