#include "millrace/connect/datagen/datagen_rows.h"

#include <algorithm>
#include <utility>

#include "millrace/connect/column_options.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/generate/draws.h"

namespace millrace {

namespace {

/// Whether the table's event time is the time of its rows.
bool IsTimed(const TableDefinition& table) {
  if (!table.event_time || std::ranges::find(table.generated, *table.event_time,
                                             &GeneratedColumn::column) != table.generated.end()) {
    return false;
  }
  std::vector<ProjectError> ignored;
  const auto options =
      ReadColumnOptions(table, *table.event_time, DatagenColumnOptionTable(), ignored);
  return options.kind.value_or(DatagenKind::kTime) == DatagenKind::kTime;
}

}  // namespace

std::unique_ptr<DatagenRows> DatagenRows::Create(const TableDefinition& table,
                                                 const DatagenOptions& options, Micros now,
                                                 std::vector<ProjectError>& errors) {
  const RowTimes times(options, options.StartMicros(now));
  std::unique_ptr<DatagenRows> rows(new DatagenRows(DeclaredSchema(table), times, IsTimed(table)));
  const size_t before = errors.size();
  for (size_t column = 0; column < table.schema->size(); ++column) {
    if (std::ranges::find(table.generated, column, &GeneratedColumn::column) !=
        table.generated.end()) {
      if (const auto given = OptionsOfColumn(table, column); !given.empty()) {
        errors.push_back({given.begin()->second.location,
                          Error(ErrorCode::kSqlInvalidDefinition,
                                table.schema->field(column).name + " is a generated column")});
      }
      continue;
    }
    const auto column_options =
        ReadColumnOptions(table, column, DatagenColumnOptionTable(), errors);
    std::string option;
    auto maker = MakeColumnMaker(table.schema->field(column), column_options, MixSeed(options.seed),
                                 times, option);
    if (!maker) {
      errors.push_back({ColumnOptionLocation(table, column, option), maker.error()});
    } else {
      rows->makers_.push_back(*std::move(maker));
    }
  }
  return errors.size() == before ? std::move(rows) : nullptr;
}

BatchPtr DatagenRows::Make(uint64_t first, size_t count) {
  std::vector<Column> columns;
  columns.reserve(makers_.size());
  for (ColumnMaker& maker : makers_) {
    columns.push_back(maker(first, count));
  }
  return Batch::Make(schema_, std::move(columns), count);
}

Micros DatagenRows::EarliestFrom(uint64_t first) const {
  return timed_ ? times_.EarliestFrom(first) : kMicrosMin;
}

}  // namespace millrace
