#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/engine/operator.h"
#include "millrace/engine/stateless_chain.h"
#include "millrace/plan/definitions.h"
#include "millrace/plan/query_definition.h"

namespace millrace {

/// A stream that a pipeline reads.
struct PipelineInput {
  std::string stream;
  std::vector<size_t> columns;  ///< Columns of the stream that are read, ascending.
  SchemaPtr schema;             ///< Of those columns.
  /// Of a table with event times: its column in the stream, and how far the watermark is behind it.
  std::optional<size_t> event_time;
  Micros watermark_delay = 0;
  /// A materialized view's stream carries its watermark in control frames.
  bool is_view = false;
  /// The smallest grace of the windows that take its rows; none when no row can be late.
  std::optional<Micros> grace_min;

  /// The same input of a stream whose columns have become `stored` since they were `known`: others
  /// may have come, gone or moved. kDefinitionChanged when one that is read is gone or has another
  /// type.
  Result<PipelineInput> AsStored(const Schema& known, const Schema& stored) const;
};

/// Rows of an input or an operator on their way through filters and projections to an operator, or
/// to the view.
struct PipelineLeg {
  static constexpr size_t kNone = SIZE_MAX;

  size_t input = kNone;          ///< Where rows come from: an input, or else
  size_t from_operator = kNone;  ///< an operator.
  StatelessChain chain;
  size_t to_operator = kNone;  ///< Where they go; kNone: they are the view's rows.
  size_t port = 0;
};

/// A view's plan cut into stages (design section 6): inputs, run per partition of their streams;
/// operators, run per state partition, each after those that it gets rows from; and legs between
/// them. What several branches of the plan have in common is read and computed once. Immutable,
/// shared by all tasks.
struct PipelinePlan {
  std::string name;
  std::vector<PipelineInput> inputs;
  std::vector<std::unique_ptr<const Operator>> operators;
  std::vector<PipelineLeg> legs;
  SchemaPtr output_schema;
  std::vector<size_t> key;      ///< Columns that identify a row of the view; empty: unknown.
  bool append_only = false;     ///< Of the view's rows.
  bool has_late_rows = false;   ///< Whether a row can be late.
  bool has_event_time = false;  ///< Whether the view's rows have one.
  bool is_read = false;         ///< By another view of the project.
  uint64_t fingerprint = 0;
  /// The operator whose state holds the rows of the view that may still change, when all rows come
  /// from it; kNone when the view is append-only.
  size_t rows_operator = PipelineLeg::kNone;

  /// `project` defines the inputs of `view`. Errors: kNotImplemented for plans that have no
  /// operators yet.
  static Result<std::unique_ptr<const PipelinePlan>> Make(const ViewDefinition& view,
                                                          const ProjectDefinition& project);
  /// The same for a query that runs once over all rows, in which none is late.
  static Result<std::unique_ptr<const PipelinePlan>> Make(const QueryDefinition& query,
                                                          const ProjectDefinition& project);
};

}  // namespace millrace
