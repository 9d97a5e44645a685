#include "millrace/plan/table_rows.h"

#include <utility>

#include "millrace/plan/plan_builder.h"

namespace millrace {

PlanPtr MakeTableRows(const TableDefinition& table) {
  PlanPtr plan = MakeScan(table.name, false, *table.schema,
                          {.append_only = true,
                           .key = {},
                           .event_time = table.event_time,
                           .is_proctime = table.event_time && table.event_time == table.proctime});
  if (table.primary_key.empty()) {
    return plan;
  }
  UpsertNode upsert{.key = table.primary_key};
  if (table.delete_when != nullptr) {
    std::vector<ExpressionPtr> columns;
    columns.reserve(table.schema->size() + 1);
    for (size_t i = 0; i < table.schema->size(); ++i) {
      columns.push_back(ColumnOf(*plan, i));
    }
    auto names = FieldNames(*table.schema);
    upsert.delete_flag = columns.size();
    columns.push_back(table.delete_when);
    std::string name = "deleted";
    while (table.schema->Find(name)) {
      name += '_';
    }
    names.push_back(name);
    plan = MakeProject(std::move(plan), std::move(columns), names);
  }
  return MakeUpsert(std::move(plan), std::move(upsert));
}

}  // namespace millrace
