#include "millrace/sql/type_binder.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace millrace::internal {

namespace {

struct TypeRow {
  std::string_view name;
  TypeId id;
};

/// As PostgreSQL's parser gives them: `integer` has become `int4`.
constexpr TypeRow kTypes[] = {
    {"bool", TypeId::kBoolean},        {"boolean", TypeId::kBoolean},
    {"int2", TypeId::kInt16},          {"smallint", TypeId::kInt16},
    {"int4", TypeId::kInt32},          {"integer", TypeId::kInt32},
    {"int8", TypeId::kInt64},          {"bigint", TypeId::kInt64},
    {"float4", TypeId::kFloat32},      {"real", TypeId::kFloat32},
    {"float8", TypeId::kFloat64},      {"numeric", TypeId::kNumeric},
    {"decimal", TypeId::kNumeric},     {"text", TypeId::kText},
    {"varchar", TypeId::kText},        {"bytea", TypeId::kBytea},
    {"date", TypeId::kDate},           {"timestamptz", TypeId::kTimestamptz},
    {"timestamp", TypeId::kTimestamp}, {"interval", TypeId::kInterval},
    {"uuid", TypeId::kUuid},           {"jsonb", TypeId::kJsonb},
};

struct MissingType {
  std::string_view name;
  std::string_view hint;
};

constexpr MissingType kMissing[] = {
    {"time", "use timestamptz or interval"},
    {"timetz", "use timestamptz"},
    {"json", "use jsonb"},
    {"bpchar", "use text"},
    {"serial", "use bigint and a source that numbers its rows"},
    {"bigserial", "use bigint and a source that numbers its rows"},
    {"money", "use numeric"},
    {"bit", "use bytea"},
    {"varbit", "use bytea"},
    {"inet", "use text"},
    {"xml", "use text"},
};

std::vector<std::string_view> TypeNames() {
  std::vector<std::string_view> names;
  for (const TypeRow& row : kTypes) {
    names.push_back(row.name);
  }
  return names;
}

Bound<DataType> NumericWith(const std::vector<TreeNode>& modifiers, int offset) {
  std::array<int64_t, 2> values{DataType::kNumericPrecisionMax, 0};
  for (size_t i = 0; i < modifiers.size() && i < values.size(); ++i) {
    values[i] = modifiers[i].Bare("ival").Integer("ival");
  }
  const auto [precision, scale] = values;
  if (modifiers.size() > values.size() || precision < 1 ||
      precision > DataType::kNumericPrecisionMax || scale < 0 || scale > precision) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 fmt::format("numeric({},{}) is out of range", precision, scale),
                 "the precision is 1 to 38, the scale 0 to the precision");
  }
  return DataType::Numeric(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

Bound<TypeId> FindType(const std::string& name, int offset) {
  const auto row = std::ranges::find(kTypes, name, &TypeRow::name);
  if (row != std::end(kTypes)) {
    return row->id;
  }
  const auto missing = std::ranges::find(kMissing, name, &MissingType::name);
  if (missing != std::end(kMissing)) {
    return Unsupported(offset, "type " + name, std::string(missing->hint));
  }
  return ErrAt(offset, ErrorCode::kSqlUnknownType, "type does not exist: " + name,
               MeantHint(name, TypeNames()));
}

}  // namespace

namespace {

Bound<DataType> BindPlainType(const TreeNode& type_name, int at) {
  MR_TRY(type_name.AllowOnly({"names", "typmods", "arrayBounds"}, at));
  std::vector<std::string> names = type_name.Names("names");
  if (names.size() == 2 && names[0] == "pg_catalog") {
    names.erase(names.begin());
  }
  if (names.size() != 1) {
    return Unsupported(at, "a schema name");
  }
  MR_ASSIGN(const TypeId id, FindType(names[0], at));
  const auto modifiers = type_name.List("typmods");
  if (modifiers.empty()) {
    return id == TypeId::kNumeric ? DataType::Numeric() : DataType::Of(id);
  }
  if (id == TypeId::kNumeric) {
    return NumericWith(modifiers, at);
  }
  return Unsupported(at, "a length or precision of type " + names[0],
                     id == TypeId::kText ? "use text" : "leave it out");
}

}  // namespace

Bound<DataType> BindType(const TreeNode& type_name, int offset) {
  const int at = type_name.offset() >= 0 ? type_name.offset() : offset;
  MR_ASSIGN(const DataType type, BindPlainType(type_name, at));
  const size_t dimensions = type_name.List("arrayBounds").size();
  if (dimensions > 1) {
    return Unsupported(at, "an array of more than one dimension", "use jsonb");
  }
  return dimensions == 0 ? type : DataType::Array(type);
}

}  // namespace millrace::internal
