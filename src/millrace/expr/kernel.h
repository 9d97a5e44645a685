#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/base/error.h"
#include "millrace/data/column.h"
#include "millrace/data/column_builder.h"
#include "millrace/expr/row_errors.h"

namespace millrace {

/// An argument or result of a kernel: one value per row, or one row that stands for all.
struct Operand {
  Column column;
  bool constant = false;

  bool IsNull(size_t row) const { return column.IsNull(constant ? 0 : row); }
  std::string_view Text(size_t row) const { return column.Text(constant ? 0 : row); }
  bool Bool(size_t row) const { return column.Bool(constant ? 0 : row); }
  template <typename T>
  T At(size_t row) const {
    return column.Values<T>()[constant ? 0 : row];
  }
};

/// One call of a function over `rows` rows. Not all operands are constant unless `rows` is 1.
struct KernelCall {
  DataType type;  ///< Of the result.
  size_t rows = 0;
  std::span<const Operand> arguments;
  /// Rows where no argument is NULL; null = all. Only set for strict functions.
  BufferPtr validity;
  /// Failed rows of this call, counted from 0; the kernel makes their values NULL.
  RowErrors& errors;
  /// What the function's `prepare` has made (functions.h); null when it has none.
  const void* prepared = nullptr;

  const Operand& argument(size_t index) const { return arguments[index]; }
  bool IsValid(size_t row) const {
    return validity == nullptr || GetBit(validity->As<uint64_t>().data(), row);
  }
  void Fail(size_t row, ErrorCode code, std::string message) const {
    errors.Add(static_cast<uint32_t>(row), code, std::move(message));
  }
};

/// Computes a result column of `call.rows` values. Works on whole columns: no virtual call and no
/// allocation per row (text results go to a ColumnBuilder). Must not fail on NULL rows.
using Kernel = Column (*)(const KernelCall& call);

namespace internal {

/// Returns `call.validity` without the failed rows.
BufferPtr ResultValidity(const KernelCall& call);

/// Sets the values of NULL rows to zero, as columns promise.
template <typename T>
void ClearNulls(std::vector<T>& values, const BufferPtr& validity) {
  if (validity == nullptr) {
    return;
  }
  const uint64_t* words = validity->As<uint64_t>().data();
  for (size_t row = 0; row < values.size(); ++row) {
    if (!GetBit(words, row)) {
      values[row] = T{};
    }
  }
}

template <typename T>
Column FixedResult(const KernelCall& call, std::vector<T> values) {
  BufferPtr validity = ResultValidity(call);
  ClearNulls(values, validity);
  return {call.type, call.rows, std::move(validity), Buffer::Own(std::move(values))};
}

/// `words` holds one bit per row.
Column BooleanResult(const KernelCall& call, std::vector<uint64_t> words);

/// Reads one value per row without a branch.
template <typename T>
struct RowValues {
  const T* values;
  T operator[](size_t row) const { return values[row]; }
};
template <typename T>
struct OneValue {
  T value;
  T operator[](size_t) const { return value; }
};

/// Calls `body` with a RowValues or a OneValue of `operand`.
template <typename T, typename Body>
void WithValues(const Operand& operand, Body&& body) {
  if (operand.constant) {
    body(OneValue<T>{operand.column.Values<T>()[0]});
  } else {
    body(RowValues<T>{operand.column.Values<T>().data()});
  }
}

/// Sets bit i of the result where `test(i)` holds.
template <typename Test>
std::vector<uint64_t> PackBits(size_t rows, Test&& test) {
  std::vector<uint64_t> words(WordsForBits(rows));
  size_t row = 0;
  for (uint64_t& word : words) {
    const size_t end = std::min(rows - row, kBitsPerWord);
    uint64_t bits = 0;
    for (size_t bit = 0; bit < end; ++bit) {
      bits |= uint64_t{static_cast<bool>(test(row + bit))} << bit;
    }
    word = bits;
    row += end;
  }
  return words;
}

/// Result of an operation that may fail on a row.
template <typename T>
struct Checked {
  T value{};
  bool failed = false;
};

/// Applies `operation(value) -> Out` to every row, NULL rows included; it must not fail.
template <typename In, typename Out, typename Operation>
Column MapUnary(const KernelCall& call, Operation operation) {
  std::vector<Out> values(call.rows);
  WithValues<In>(call.argument(0), [&](auto input) {
    for (size_t row = 0; row < call.rows; ++row) {
      values[row] = operation(input[row]);
    }
  });
  return FixedResult(call, std::move(values));
}

template <typename Left, typename Right, typename Out, typename Operation>
Column MapBinary(const KernelCall& call, Operation operation) {
  std::vector<Out> values(call.rows);
  WithValues<Left>(call.argument(0), [&](auto left) {
    WithValues<Right>(call.argument(1), [&](auto right) {
      for (size_t row = 0; row < call.rows; ++row) {
        values[row] = operation(left[row], right[row]);
      }
    });
  });
  return FixedResult(call, std::move(values));
}

/// Applies `operation(value) -> Checked<Out>`; failed rows that are not NULL are reported by
/// `explain(row)`, which calls call.Fail.
template <typename In, typename Out, typename Operation, typename Explain>
Column MapUnaryChecked(const KernelCall& call, Operation operation, Explain explain) {
  std::vector<Out> values(call.rows);
  bool failed = false;
  WithValues<In>(call.argument(0), [&](auto input) {
    for (size_t row = 0; row < call.rows; ++row) {
      const Checked<Out> result = operation(input[row]);
      values[row] = result.value;
      failed |= result.failed;
    }
    for (size_t row = 0; failed && row < call.rows; ++row) {
      if (call.IsValid(row) && operation(input[row]).failed) {
        explain(row);
      }
    }
  });
  return FixedResult(call, std::move(values));
}

template <typename Left, typename Right, typename Out, typename Operation, typename Explain>
Column MapBinaryChecked(const KernelCall& call, Operation operation, Explain explain) {
  std::vector<Out> values(call.rows);
  bool failed = false;
  WithValues<Left>(call.argument(0), [&](auto left) {
    WithValues<Right>(call.argument(1), [&](auto right) {
      for (size_t row = 0; row < call.rows; ++row) {
        const Checked<Out> result = operation(left[row], right[row]);
        values[row] = result.value;
        failed |= result.failed;
      }
      for (size_t row = 0; failed && row < call.rows; ++row) {
        if (call.IsValid(row) && operation(left[row], right[row]).failed) {
          explain(row);
        }
      }
    });
  });
  return FixedResult(call, std::move(values));
}

/// Calls `append(row, builder)` for every row that is not NULL; it appends one value or NULL.
template <typename Append>
Column BuildRows(const KernelCall& call, Append append) {
  ColumnBuilder builder(call.type);
  builder.Reserve(call.rows);
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.IsValid(row)) {
      append(row, builder);
    } else {
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

/// For integer results of text functions: `value(row)` is only called for rows that are not NULL.
template <typename Out, typename Compute>
Column ComputeRows(const KernelCall& call, Compute compute) {
  std::vector<Out> values(call.rows);
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.IsValid(row)) {
      values[row] = compute(row);
    }
  }
  return FixedResult(call, std::move(values));
}

}  // namespace internal
}  // namespace millrace
