#pragma once

#include "millrace/plan/definitions.h"

namespace millrace {

/// How a table is read: its records, or with a primary key the rows that they say are there.
PlanPtr MakeTableRows(const TableDefinition& table);

}  // namespace millrace
