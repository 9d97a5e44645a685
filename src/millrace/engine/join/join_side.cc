#include "millrace/engine/join/join_side.h"

#include <algorithm>

namespace millrace {

JoinSide MakeJoinSide(const PlanNode& node, size_t port) {
  const JoinNode& join = node.join;
  const auto& keys = port == kLeftPort ? join.left_keys : join.right_keys;
  const size_t first = port == kLeftPort ? 0 : node.inputs[kLeftPort]->schema->size();
  JoinSide side;
  side.shape.key = keys;
  for (const size_t column : keys) {
    side.key_columns.push_back(first + column);
  }
  for (size_t column = 0; column < node.inputs[port]->schema->size(); ++column) {
    if (std::ranges::find(keys, column) == keys.end()) {
      side.shape.rest.push_back(column);
      side.rest_columns.push_back(first + column);
    }
  }
  side.shape.drops_null_keys = port == kRightPort || join.kind != JoinKind::kLeft;
  side.shape.time = port == kLeftPort ? join.left_time : join.right_time;
  return side;
}

}  // namespace millrace
