#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/error.h"
#include "millrace/data/batch.h"

namespace millrace {

/// Schema of the streams errors$<stream> and errors$<view>:
///   time timestamptz      when the row was refused
///   code integer          stable error code
///   message text
///   operator text         what refused it: "decode", "filter", "project", "window", "aggregate"
///   partition integer, offset bigint    where it stands in its stream; NULL when unknown
///   weight integer        +1, or -1 for a retraction
///   record bytea          the original bytes, or the row as JSON
SchemaPtr ErrorRowSchema();

/// One refused row.
struct ErrorRow {
  Micros time = 0;
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string_view operator_name;
  std::optional<uint32_t> partition;
  std::optional<int64_t> offset;
  int32_t weight = 1;
  std::string record;
};

/// Builds a batch of error rows. Empty input gives null.
BatchPtr MakeErrorBatch(const std::vector<ErrorRow>& rows);

}  // namespace millrace
