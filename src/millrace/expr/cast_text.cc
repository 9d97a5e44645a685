#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/cast_kernels.h"
#include "millrace/expr/json_path.h"
#include "millrace/expr/numeric_math.h"

namespace millrace::internal {

namespace {

void FailCast(const KernelCall& call, size_t row, const Error& error) {
  call.Fail(row, error.code(), error.message());
}

template <typename T, typename Scan>
Column ScanFixed(const KernelCall& call, Scan scan) {
  return ComputeRows<T>(call, [&](size_t row) {
    T value{};
    const std::string_view text = call.argument(0).Text(row);
    if (scan(text, value) != ScanOutcome::kOk) {
      FailCast(call, row, ParseValue(text, call.type).error());
      return T{};
    }
    return value;
  });
}

}  // namespace

Column CastToText(const KernelCall& call) {
  const Operand& input = call.argument(0);
  const DataType& from = input.column.type();
  std::string text;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    text.clear();
    AppendValueText(text, ValueAt(input.column, input.constant ? 0 : row), from);
    out.AppendText(text);
  });
}

Column CastFromText(const KernelCall& call) {
  switch (call.type.id) {
    case TypeId::kFloat64:
      return ScanFixed<double>(call, ScanDouble);
    case TypeId::kTimestamp:
      return ScanFixed<Micros>(call, ScanTimestamp);
    case TypeId::kTimestamptz:
      return ScanFixed<Micros>(call, ScanTimestamptz);
    case TypeId::kInt64:
      return ScanFixed<int64_t>(call, [](std::string_view text, int64_t& out) {
        return ScanInteger(text, std::numeric_limits<int64_t>::min(),
                           std::numeric_limits<int64_t>::max(), out);
      });
    default:
      return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
        const auto value = ParseValue(call.argument(0).Text(row), call.type);
        if (!value) {
          FailCast(call, row, value.error());
        }
        AppendValue(out, value ? *value : Value());
      });
  }
}

Column CastFromJson(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view json = call.argument(0).Text(row);
    const JsonKind wanted =
        call.type.id == TypeId::kBoolean ? JsonKind::kBoolean : JsonKind::kNumber;
    if (GetJsonKind(json) != wanted) {
      call.Fail(row, ErrorCode::kInvalidCast,
                fmt::format("cannot cast jsonb {} to type {}", JsonKindName(GetJsonKind(json)),
                            call.type.ToString()));
      out.AppendNull();
      return;
    }
    const DataType read = call.type.is_integer() ? DataType::Numeric() : call.type;
    auto value = ParseValue(json, read);
    if (value && call.type.is_integer()) {
      value =
          ParseValue(FormatNumeric(*Rescale(value->Get<Int128>(), read.scale, 0), 0), call.type);
    }
    if (!value) {
      FailCast(call, row, value.error());
    }
    AppendValue(out, value ? *value : Value());
  });
}

}  // namespace millrace::internal
