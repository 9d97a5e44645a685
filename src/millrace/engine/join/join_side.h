#pragma once

#include <cstddef>
#include <vector>

#include "millrace/engine/keyed_rows.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// The ports of a join.
inline constexpr size_t kLeftPort = 0;
inline constexpr size_t kRightPort = 1;

/// A port: its rows, and where their columns go in the output, in the order of the entries.
struct JoinSide {
  KeyedRows::Shape shape;
  std::vector<size_t> key_columns;
  std::vector<size_t> rest_columns;
};

/// Of a join node.
JoinSide MakeJoinSide(const PlanNode& node, size_t port);

/// The begin of the span of `slice` of event time that `time` is in.
inline Micros SliceOf(Micros time, Micros slice) {
  const Micros remainder = time % slice;
  return time - remainder - (remainder < 0 ? slice : 0);
}

}  // namespace millrace
