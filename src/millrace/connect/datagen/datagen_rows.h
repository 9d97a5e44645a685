#pragma once

#include <memory>
#include <vector>

#include "millrace/base/source_location.h"
#include "millrace/connect/datagen/column_maker.h"
#include "millrace/connect/datagen/row_times.h"
#include "millrace/connect/generate/row_generator.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// The rows of a table with connector = 'datagen', column by column.
class DatagenRows final : public RowGenerator {
 public:
  /// `now`: what start_time = 'now' is. Adds what is wrong with the columns' options to `errors`;
  /// null then.
  static std::unique_ptr<DatagenRows> Create(const TableDefinition& table,
                                             const DatagenOptions& options, Micros now,
                                             std::vector<ProjectError>& errors);

  BatchPtr Make(uint64_t first, size_t count) override;
  Micros EarliestFrom(uint64_t first) const override;

 private:
  DatagenRows(SchemaPtr schema, const RowTimes& times, bool timed)
      : schema_(std::move(schema)), times_(times), timed_(timed) {}

  const SchemaPtr schema_;  // Without generated columns.
  const RowTimes times_;
  const bool timed_;  // The event time is a column of kind time.
  std::vector<ColumnMaker> makers_;
};

}  // namespace millrace
