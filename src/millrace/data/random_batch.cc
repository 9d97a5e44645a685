#include "millrace/data/random_batch.h"

#include <algorithm>
#include <bit>

#include "millrace/data/array_value.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/value.h"

namespace millrace {

namespace {

std::string RandomText(Rng& rng, double repeat_chance) {
  if (rng.Chance(repeat_chance)) {
    return std::string(rng.Below(40), static_cast<char>('a' + rng.Below(3)));
  }
  std::string text(rng.Below(rng.Chance(0.1) ? 300 : 30), ' ');
  std::ranges::generate(text, [&] { return static_cast<char>('a' + rng.Below(26)); });
  return text;
}

int64_t RandomInteger(Rng& rng) {
  const auto value = static_cast<int64_t>(rng.Next());
  return value >> rng.Below(64);
}

Value RandomValue(Rng& rng, const DataType& type, double repeat_chance) {
  switch (type.id) {
    case TypeId::kBoolean:
      return Value(rng.Chance(0.5));
    case TypeId::kInt16:
      return Value(int64_t{static_cast<int16_t>(RandomInteger(rng))});
    case TypeId::kInt32:
      return Value(int64_t{static_cast<int32_t>(RandomInteger(rng))});
    case TypeId::kInt64:
      return Value(RandomInteger(rng));
    case TypeId::kFloat32:
      return Value(double{static_cast<float>(rng.Unit())});
    case TypeId::kFloat64:
      return Value(rng.Unit() * 1e6);
    case TypeId::kNumeric:
      return Value(Int128{RandomInteger(rng)} * (rng.Chance(0.1) ? int64_t{1} << 40 : 1));
    case TypeId::kDate:
      return Value(static_cast<int64_t>(rng.Below(30'000)));
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return Value(static_cast<int64_t>(rng.Below(uint64_t{1} << 50)));
    case TypeId::kInterval:
      return Value(Interval{static_cast<int32_t>(rng.Below(20)), static_cast<int32_t>(rng.Below(9)),
                            static_cast<int64_t>(rng.Below(1 << 30))});
    case TypeId::kUuid: {
      const uint64_t words[2] = {rng.Next(), rng.Next()};
      return Value(std::bit_cast<Uuid>(words));
    }
    case TypeId::kJsonb:
      return Value("\"" + RandomText(rng, repeat_chance) + "\"");
    case TypeId::kArray: {
      ColumnBuilder builder(type.element_type());
      const size_t size = rng.Below(4);
      for (size_t i = 0; i < size; ++i) {
        AppendValue(builder,
                    rng.Chance(0.2) ? Value() : RandomValue(rng, builder.type(), repeat_chance));
      }
      std::string array;
      AppendElements(builder.Finish(), array);
      return Value(std::move(array));
    }
    case TypeId::kText:
    case TypeId::kBytea:
      return Value(RandomText(rng, repeat_chance));
  }
  return {};
}

}  // namespace

SchemaPtr SchemaOfAllTypes() {
  std::vector<Field> fields;
  for (const TypeId id :
       {TypeId::kBoolean, TypeId::kInt16, TypeId::kInt32, TypeId::kInt64, TypeId::kFloat32,
        TypeId::kFloat64, TypeId::kText, TypeId::kBytea, TypeId::kDate, TypeId::kTimestamptz,
        TypeId::kInterval, TypeId::kUuid, TypeId::kJsonb, TypeId::kTimestamp}) {
    fields.push_back({.name = DataType::Of(id).ToString(), .type = DataType::Of(id)});
  }
  fields.push_back({.name = "numeric", .type = DataType::Numeric(38, 2)});
  fields.push_back({.name = "texts", .type = DataType::Array(DataType::Of(TypeId::kText))});
  fields.push_back({.name = "numerics", .type = DataType::Array(DataType::Numeric(38, 2))});
  return MakeSchema(std::move(fields));
}

BatchPtr RandomBatch(Rng& rng, const SchemaPtr& schema, size_t rows, double null_chance,
                     double repeat_chance, Batch::RowExtras extras) {
  std::vector<Column> columns;
  for (const Field& field : schema->fields()) {
    ColumnBuilder builder(field.type);
    for (size_t row = 0; row < rows; ++row) {
      AppendValue(builder, field.nullable && rng.Chance(null_chance)
                               ? Value()
                               : RandomValue(rng, field.type, repeat_chance));
    }
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema, std::move(columns), rows, std::move(extras));
}

bool SameRows(const Batch& a, const Batch& b) {
  if (a.schema() != b.schema() || a.rows() != b.rows() ||
      !std::ranges::equal(a.weights(), b.weights()) ||
      !std::ranges::equal(a.watermarks_before(), b.watermarks_before()) ||
      !std::ranges::equal(a.offsets(), b.offsets())) {
    return false;
  }
  for (size_t column = 0; column < a.columns().size(); ++column) {
    for (size_t row = 0; row < a.rows(); ++row) {
      if (ValueAt(a.column(column), row) != ValueAt(b.column(column), row)) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace millrace
