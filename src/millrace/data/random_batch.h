#pragma once

#include "millrace/base/rng.h"
#include "millrace/data/batch.h"

namespace millrace {

/// For tests: one field of every type, named by it; all nullable.
SchemaPtr SchemaOfAllTypes();

/// For tests: `rows` random rows of `schema`. `null_chance` in [0, 1]; `repeat_chance`: how often a
/// text is one of a few.
BatchPtr RandomBatch(Rng& rng, const SchemaPtr& schema, size_t rows, double null_chance,
                     double repeat_chance, Batch::RowExtras extras = {});

/// For tests: whether both have the same rows, in order, with the same extras.
bool SameRows(const Batch& a, const Batch& b);

}  // namespace millrace
