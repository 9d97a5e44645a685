#pragma once

#include <memory>

#include "millrace/engine/served_rows.h"
#include "millrace/engine/source_partition.h"

namespace millrace {

/// What a query reads of one partition of an input: rows that are there when it begins. Used by one
/// thread.
class QueryInput {
 public:
  virtual ~QueryInput() = default;

  /// Returns the next rows, about `bytes_max` of them; nothing (`any` is false) at the end. Errors:
  /// kOffsetOutOfRange, kCorruption, kIoError.
  virtual Result<SourcePartition::Slice> Next(size_t bytes_max) = 0;
};

/// The records of a stream partition from where the cursor is to `end`. `input` outlives it.
std::unique_ptr<QueryInput> MakeStreamInput(const PipelineInput& input,
                                            std::unique_ptr<Cursor> cursor, Offset end);

/// The rows of a view at one moment; `schema` is of its whole rows. `input` outlives it.
std::unique_ptr<QueryInput> MakeServedInput(const PipelineInput& input, SchemaPtr schema,
                                            std::shared_ptr<const ServedRows::Root> root);

}  // namespace millrace
