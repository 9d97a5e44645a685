#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/plan/plan_node.h"

namespace millrace::internal {

/// The aggregate of that SQL name; kCount for count.
std::optional<AggregateKind> FindAggregate(std::string_view name);

std::vector<std::string_view> AggregateNames();

/// PostgreSQL's result types: sum of smallint and integer is bigint, of bigint and numeric numeric,
/// of floating point its own type; avg is double precision over floating point, else numeric with
/// at least 16 digits behind the point; min and max keep the type. Variances and deviations are
/// double precision, also where PostgreSQL's are numeric. kSqlTypeMismatch where the aggregate is
/// not defined.
Result<DataType> AggregateResultType(AggregateKind kind, const DataType& argument);

}  // namespace millrace::internal
