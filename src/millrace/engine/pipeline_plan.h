#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/stateless_chain.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// A view's plan cut into stages: the first runs per source partition, from the scan to the partial
/// aggregation; the second per state partition, from there to the view's rows. A view without
/// aggregation has only the first. Immutable, shared by all tasks.
struct PipelinePlan {
  std::string name;
  std::string source;                  ///< The stream that is read.
  std::vector<size_t> source_columns;  ///< Columns of the stream, in the chain's order.
  SchemaPtr scan_schema;               ///< Of those columns.
  std::optional<size_t> event_time;    ///< Column of the stream.
  Micros watermark_delay = 0;
  StatelessChain before;
  std::optional<GroupBy> group_by;
  StatelessChain after;
  EmitMode emit = EmitMode::kChanges;
  SchemaPtr output_schema;
  bool has_late_rows = false;  ///< Whether a row can be late.
  uint64_t fingerprint = 0;

  /// Errors: kNotImplemented for plans that have no operators yet.
  static Result<std::unique_ptr<const PipelinePlan>> Make(const ViewDefinition& view,
                                                          const TableDefinition& source);
};

}  // namespace millrace
