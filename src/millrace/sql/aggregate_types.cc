#include "millrace/sql/aggregate_types.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace millrace::internal {

namespace {

constexpr std::pair<std::string_view, AggregateKind> kAggregates[] = {
    {"count", AggregateKind::kCount},
    {"sum", AggregateKind::kSum},
    {"min", AggregateKind::kMin},
    {"max", AggregateKind::kMax},
    {"avg", AggregateKind::kAvg},
    {"var_pop", AggregateKind::kVarPop},
    {"var_samp", AggregateKind::kVarSamp},
    {"variance", AggregateKind::kVarSamp},
    {"stddev_pop", AggregateKind::kStddevPop},
    {"stddev_samp", AggregateKind::kStddevSamp},
    {"stddev", AggregateKind::kStddevSamp},
    {"bool_and", AggregateKind::kBoolAnd},
    {"every", AggregateKind::kBoolAnd},
    {"bool_or", AggregateKind::kBoolOr},
    {"first", AggregateKind::kFirst},
    {"last", AggregateKind::kLast},
    {"string_agg", AggregateKind::kStringAgg},
    {"jsonb_agg", AggregateKind::kJsonbAgg},
    {"array_agg", AggregateKind::kArrayAgg},
};

constexpr uint8_t kAverageScale = 16;  // What PostgreSQL shows of avg(integer).

DataType SumType(const DataType& argument) {
  switch (argument.id) {
    case TypeId::kInt16:
    case TypeId::kInt32:
      return DataType::Of(TypeId::kInt64);
    case TypeId::kInt64:
      return DataType::Numeric(DataType::kNumericPrecisionMax, 0);
    case TypeId::kNumeric:
      return DataType::Numeric(DataType::kNumericPrecisionMax, argument.scale);
    default:
      return argument;
  }
}

DataType AverageType(const DataType& argument) {
  if (argument.id == TypeId::kFloat32 || argument.id == TypeId::kFloat64) {
    return DataType::Of(TypeId::kFloat64);
  }
  return DataType::Numeric(DataType::kNumericPrecisionMax, std::max(kAverageScale, argument.scale));
}

bool IsOrdered(const DataType& type) {
  return type.is_number() || type.id == TypeId::kText || type.id == TypeId::kDate ||
         type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz ||
         type.id == TypeId::kInterval;
}

}  // namespace

std::optional<AggregateKind> FindAggregate(std::string_view name) {
  for (const auto& [each, kind] : kAggregates) {
    if (each == name) {
      return kind;
    }
  }
  return std::nullopt;
}

std::vector<std::string_view> AggregateNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, kind] : kAggregates) {
    names.push_back(name);
  }
  return names;
}

Result<DataType> AggregateResultType(AggregateKind kind, const DataType& argument) {
  const bool number = argument.is_number();
  if (argument.id == TypeId::kInterval &&
      (kind == AggregateKind::kSum || kind == AggregateKind::kAvg)) {
    return Err(ErrorCode::kSqlNotSupported, "not supported: sum and avg of interval");
  }
  switch (kind) {
    case AggregateKind::kCountRows:
    case AggregateKind::kCount:
      return DataType::Of(TypeId::kInt64);
    case AggregateKind::kSum:
      if (number) {
        return SumType(argument);
      }
      break;
    case AggregateKind::kAvg:
      if (number) {
        return AverageType(argument);
      }
      break;
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      if (IsOrdered(argument)) {
        return argument;
      }
      break;
    case AggregateKind::kVarPop:
    case AggregateKind::kVarSamp:
    case AggregateKind::kStddevPop:
    case AggregateKind::kStddevSamp:
      if (number) {
        return DataType::Of(TypeId::kFloat64);
      }
      break;
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      if (argument.id == TypeId::kBoolean) {
        return argument;
      }
      break;
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      return argument;
    case AggregateKind::kStringAgg:
      if (argument.id == TypeId::kText) {
        return argument;
      }
      break;
    case AggregateKind::kJsonbAgg:
      return DataType::Of(TypeId::kJsonb);
    case AggregateKind::kArrayAgg:
      if (!argument.is_array()) {
        return DataType::Array(argument);
      }
      break;
  }
  return Err(ErrorCode::kSqlTypeMismatch,
             fmt::format("the aggregate is not defined for type {}", argument.ToString()));
}

}  // namespace millrace::internal
