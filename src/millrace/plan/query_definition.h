#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/data/sort_encoding.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// A key of ORDER BY.
struct SortKey {
  size_t column = 0;  ///< Of the plan's output.
  SortDirection direction;
};

/// A query that runs once, over what is there.
struct QueryDefinition {
  enum class Explain : uint8_t {
    kNone,
    kPlan,     ///< EXPLAIN: only the plan is asked for.
    kAnalyze,  ///< EXPLAIN ANALYZE: the query runs, and what it did is asked for.
  };

  PlanPtr plan;
  size_t columns = 0;  ///< The first ones of the output are shown; the others are sorted by.
  std::vector<SortKey> order;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
  Explain explain = Explain::kNone;
  std::vector<std::string> inputs;  ///< Streams and materialized views it reads, without repeats.
};

}  // namespace millrace
