// Expressions over a batch with NULLs: whatever is bound can be evaluated, and what comes out are
// values of its type. The input is SQL text behind an 's', else choices that build an expression
// from the functions there are, so that every byte counts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/rng.h"
#include "millrace/data/array_value.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/json_text.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/expr/evaluator.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/sql/expression_testing.h"

namespace millrace {
namespace {

constexpr TypeId kTypes[] = {
    TypeId::kBoolean,  TypeId::kInt16,   TypeId::kInt32,     TypeId::kInt64,
    TypeId::kFloat32,  TypeId::kFloat64, TypeId::kNumeric,   TypeId::kText,
    TypeId::kBytea,    TypeId::kDate,    TypeId::kTimestamp, TypeId::kTimestamptz,
    TypeId::kInterval, TypeId::kUuid,    TypeId::kJsonb,     TypeId::kArray};

constexpr std::string_view kTexts[] = {
    "",
    "a",
    "A b",
    "gr\u00fc\u00dfe",
    "%_\\",
    "(a)|b*",
    "day",
    "hex",
    "base64",
    "UTC",
    "Europe/Berlin",
    "YYYY-MM-DD HH24:MI:SS.MS",
    "99.9",
    "FM990.0",
    "{a,b}",
    "i",
    "g",
    "[[:alpha:]]+",
    "1",
    "-1.5e3",
    "2024-02-29",
    "1 day 02:03",
    "{\"a\":[1,null]}",
    "x'\"y",
};

/// Values at the edges of their types, and common ones; those that a type cannot read are NULL.
constexpr std::string_view kNumbers[] = {"0",
                                         "1",
                                         "-1",
                                         "2",
                                         "7",
                                         "100",
                                         "-12.5",
                                         "0.01",
                                         "32767",
                                         "-32768",
                                         "2147483647",
                                         "-2147483648",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "1e300",
                                         "-1e-300",
                                         "NaN",
                                         "Infinity",
                                         "-Infinity",
                                         "99999999999999999999999999999999999",
                                         "123456.789"};
constexpr std::string_view kTimes[] = {"0001-01-01",
                                       "9999-12-31",
                                       "9999-12-31T23:59:59.999999Z",
                                       "1969-12-31T23:59:59.5Z",
                                       "2024-02-29T13:45:30.25Z",
                                       "2024-03-31T01:00:00Z",
                                       "2024-10-27T00:30:00Z",
                                       "2050-07-01"};
constexpr std::string_view kSpans[] = {"0",
                                       "1 month",
                                       "-1 day 02:03:04.5",
                                       "49 months 25:00",
                                       "2147483647 months",
                                       "-2147483648 days",
                                       "0.000001",
                                       "-9223372036854775808 microseconds"};
constexpr std::string_view kJsons[] = {"null",
                                       "true",
                                       "1.50",
                                       "\"a\"",
                                       "[]",
                                       "{}",
                                       "[1,[2,{\"a\":null}],\"a\"]",
                                       "{\"a\":{\"b\":[1,2,3]},\"\\u00e9\\\"\":\"x\\ny\"}",
                                       "[[[[[[1]]]]]]"};

constexpr std::string_view kArrays[] = {"{}", "{NULL}", "{1,2,NULL,2}", "{-2147483648,2147483647}"};

std::span<const std::string_view> TextsOf(TypeId type) {
  switch (type) {
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return kTimes;
    case TypeId::kInterval:
      return kSpans;
    case TypeId::kJsonb:
      return kJsons;
    case TypeId::kArray:
      return kArrays;
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kBoolean:
    case TypeId::kUuid:
      return kTexts;
    default:
      return kNumbers;
  }
}

Value RandomValue(Rng& rng, const DataType& type) {
  const auto texts = TextsOf(type.id);
  const auto value = ParseValue(texts[rng.Below(texts.size())], type);
  return value ? *value : Value();
}

BatchPtr EdgeBatch(Rng& rng, const SchemaPtr& schema, size_t rows) {
  std::vector<Column> columns;
  for (const Field& field : schema->fields()) {
    ColumnBuilder builder(field.type);
    for (size_t row = 0; row < rows; ++row) {
      AppendValue(builder, rng.Chance(0.2) ? Value() : RandomValue(rng, field.type));
    }
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema, std::move(columns), rows);
}

/// Reads choices from the input; 0 for ever at its end.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t Below(size_t count) { return Next() % count; }
  uint8_t Next() { return at_ < size_ ? data_[at_++] : 0; }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

/// Builds an expression of a type from choices.
class Builder {
 public:
  Builder(Choices& choices, const Schema& schema) : choices_(choices), schema_(schema) {}

  ExpressionPtr Build(TypeId type, int depth) {
    ExpressionPtr built = BuildAny(type, depth);
    const DataType whole = Example(type);
    if (type != TypeId::kArray || built->type == whole) {
      return built;
    }
    // All arrays of a call are of one type.
    return CanCast(built->type, whole, CastContext::kExplicit) ? As(std::move(built), whole)
                                                               : Literal(whole);
  }

 private:
  static constexpr int kNodesMax = 40;

  ExpressionPtr BuildAny(TypeId type, int depth) {
    if (depth == 0 || ++nodes_ > kNodesMax) {
      return Leaf(type);
    }
    switch (choices_.Below(8)) {
      case 0:
        return Leaf(type);
      case 1:
        return Cast(type, depth);
      case 2:
        return Branches(type, depth);
      default:
        return Call(type, depth);
    }
  }

  static DataType Example(TypeId type) {
    return type == TypeId::kNumeric ? DataType::Numeric()
           : type == TypeId::kArray ? DataType::Array(DataType::Of(TypeId::kInt32))
                                    : DataType::Of(type);
  }

  DataType Whole(TypeId type) {
    constexpr DataType kNumerics[] = {DataType::Numeric(38, 2), DataType::Numeric(),
                                      DataType::Numeric(5, 0), DataType::Numeric(38, 38)};
    return type == TypeId::kNumeric ? kNumerics[choices_.Below(std::size(kNumerics))]
                                    : Example(type);
  }

  ExpressionPtr Leaf(TypeId type) {
    if (choices_.Below(3) != 0) {
      for (size_t i = 0; i < schema_.size(); ++i) {
        if (schema_.field(i).type.id == type) {
          return MakeColumn(i, schema_.field(i).type, true);
        }
      }
    }
    return Literal(Whole(type));
  }

  ExpressionPtr Literal(const DataType& type) {
    if (choices_.Below(8) == 0) {
      return MakeLiteral(Value(), type);
    }
    const int small = static_cast<int8_t>(choices_.Next());
    const auto texts = TextsOf(type.id);
    const auto value =
        ParseValue(type.is_number() ? fmt::format("{}", small)
                                    : std::string(texts[choices_.Below(texts.size())]),
                   type);
    return MakeLiteral(value ? *value : Value(), type);
  }

  ExpressionPtr As(ExpressionPtr expression, const DataType& type) {
    return MakeCast(std::move(expression), type);
  }

  ExpressionPtr Cast(TypeId type, int depth) {
    const DataType to = Whole(type);
    const TypeId from = kTypes[choices_.Below(std::size(kTypes))];
    ExpressionPtr argument = Build(from, depth - 1);
    return CanCast(argument->type, to, CastContext::kExplicit) ? As(std::move(argument), to)
                                                               : Leaf(type);
  }

  ExpressionPtr Branches(TypeId type, int depth) {
    const DataType whole = Whole(type);
    ExpressionPtr first = As(Build(type, depth - 1), whole);
    ExpressionPtr second = As(Build(type, depth - 1), whole);
    if (choices_.Below(2) == 0) {
      return MakeBranches(Expression::Kind::kCoalesce, {first, second}, whole);
    }
    return MakeBranches(Expression::Kind::kCase,
                        {Build(TypeId::kBoolean, depth - 1), first, second}, whole);
  }

  ExpressionPtr Call(TypeId type, int depth) {
    std::vector<const ScalarFunction*> fitting;
    for (const ScalarFunction& function : AllFunctions()) {
      std::vector<DataType> examples;
      std::ranges::transform(function.arguments, std::back_inserter(examples), Example);
      if (function.ResultType(examples).id == type) {
        fitting.push_back(&function);
      }
    }
    if (fitting.empty()) {
      return Leaf(type);
    }
    const ScalarFunction& function =
        *fitting[(choices_.Below(256) * 256 + choices_.Below(256)) % fitting.size()];
    // What can make megabytes out of nothing gets small numbers.
    const bool builds = function.name == "repeat" || function.name.ends_with("pad");
    std::vector<ExpressionPtr> arguments;
    const size_t extra = function.variadic ? choices_.Below(3) : 0;
    for (size_t i = 0; i < function.arguments.size() + extra; ++i) {
      const TypeId parameter = function.arguments[std::min(i, function.arguments.size() - 1)];
      arguments.push_back(builds && parameter == TypeId::kInt32 ? Literal(DataType::Of(parameter))
                                                                : Build(parameter, depth - 1));
    }
    if (function.name == "greatest" || function.name == "least" || function.name == "ARRAY") {
      for (ExpressionPtr& argument : arguments) {
        argument = As(argument, arguments[0]->type);
      }
    }
    return MakeCall(function, std::move(arguments));
  }

  Choices& choices_;
  const Schema& schema_;
  int nodes_ = 0;
};

void CheckValue(const Column& column, size_t row) {
  const DataType& type = column.type();
  const Value value = ValueAt(column, row);
  switch (type.id) {
    case TypeId::kText:
      MR_CHECK(IsValidText(value.Get<std::string>()), "text that is not text");
      break;
    case TypeId::kJsonb: {
      std::string canonical;
      const bool valid = !AppendCanonicalJson(canonical, value.Get<std::string>());
      MR_CHECK(valid && canonical == value.Get<std::string>(), "jsonb that is not canonical: {}",
               value.Get<std::string>());
      break;
    }
    case TypeId::kArray:
      MR_CHECK(IsValidArray(value.Get<std::string>(), type), "a damaged array");
      break;
    case TypeId::kNumeric:
      MR_CHECK(internal::FitsPrecision(value.Get<Int128>(), type.precision), "too many digits");
      break;
    case TypeId::kDate:
      MR_CHECK(value.Get<int64_t>() >= kDateMin && value.Get<int64_t>() <= kDateMax);
      break;
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      MR_CHECK(value.Get<int64_t>() >= kTimestampMin && value.Get<int64_t>() <= kTimestampMax);
      break;
    default:
      break;
  }
}

/// The values of a column as text, without what may depend on the order of evaluation.
std::vector<std::string> Shown(const Column& column) {
  std::vector<std::string> texts;
  texts.reserve(column.size());
  for (size_t row = 0; row < column.size(); ++row) {
    texts.push_back(FormatValue(ValueAt(column, row), column.type()));
  }
  return texts;
}

Column EvaluateChecked(const ExpressionPtr& expression, const Batch& batch) {
  RowErrors errors;
  Column column = Evaluator(expression).Evaluate(batch, errors);
  MR_CHECK(column.size() == batch.rows() && column.type() == expression->type, "{} of {}",
           column.size(), column.type().ToString());
  for (size_t row = 0; row < column.size(); ++row) {
    if (column.IsNull(row)) {
      MR_CHECK(expression->nullable || !errors.empty(), "NULL where none can be");
    } else {
      CheckValue(column, row);
    }
  }
  return column;
}

void Check(const ExpressionPtr& expression, const Batch& batch) {
  const Column plain = EvaluateChecked(expression, batch);
  const Column folded = EvaluateChecked(FoldConstants(expression), batch);
  MR_CHECK(Shown(plain) == Shown(folded), "folded constants change {}", expression->ToString({}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  constexpr size_t kRows = 9;
  if (data[0] == 's') {
    const std::string sql(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (const auto bound = BindExpression(sql)) {
      Check(bound->expression, *ExpressionRows(bound->schema, 2, kRows - 2));
    }
    return 0;
  }
  static const SchemaPtr kSchema = SchemaOfAllTypes();
  Choices choices(data, size);
  Rng rng(choices.Next());
  const BatchPtr batch = EdgeBatch(rng, kSchema, kRows);
  const TypeId type = kTypes[choices.Below(std::size(kTypes))];
  constexpr int kDepth = 4;
  Check(Builder(choices, *kSchema).Build(type, kDepth), *batch);
  return 0;
}

}  // namespace millrace
