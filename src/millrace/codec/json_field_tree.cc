#include "millrace/codec/json_field_tree.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::json {

Result<FieldTree> FieldTree::Make(const Schema& schema, const FieldPaths& paths, size_t left_out) {
  FieldTree tree;
  tree.depths_.resize(schema.size());
  for (size_t column = 0; column < schema.size(); ++column) {
    if (column == left_out) {
      continue;
    }
    const std::string& name = schema.field(column).name;
    const auto given = paths.find(name);
    if (given == paths.end()) {
      MR_TRY(tree.Add(schema, column, {name}));
      continue;
    }
    for (const FieldPath& path : given->second) {
      MR_TRY(tree.Add(schema, column, path));
    }
  }
  return tree;
}

Status FieldTree::Add(const Schema& schema, size_t column, const FieldPath& path) {
  const auto columns = static_cast<int32_t>(schema.size());
  const std::string& name = schema.field(column).name;
  uint32_t object = 0;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto next = static_cast<int32_t>(schema.size() + objects_.size() - 1);
    const auto [at, added] = objects_[object].fields.emplace(path[i], next);
    if (at->second < columns) {
      return Err(ErrorCode::kSqlInvalidDefinition,
                 fmt::format("column {} takes {} whole, and column {} a field of it",
                             schema.field(static_cast<size_t>(at->second)).name,
                             PathText({path.begin(), path.begin() + static_cast<ptrdiff_t>(i) + 1}),
                             name));
    }
    const int32_t field = at->second;
    if (added) {
      const Object& parent = objects_[object];
      Object inner{.fields = {},
                   .parent = object,
                   .depth = parent.depth + 1,
                   .path = parent.path.empty() ? path[i] : parent.path + "." + path[i]};
      objects_.push_back(std::move(inner));
    }
    object = ObjectOf(field);
  }
  const auto [at, added] =
      objects_[object].fields.emplace(path.back(), static_cast<int32_t>(column));
  if (!added) {
    return Err(
        ErrorCode::kSqlInvalidDefinition,
        at->second < columns
            ? fmt::format("columns {} and {} take the same field {}",
                          schema.field(static_cast<size_t>(at->second)).name, name, PathText(path))
            : fmt::format("column {} takes {} whole, and another column a field of it", name,
                          PathText(path)));
  }
  depths_[column] = std::max(depths_[column], objects_[object].depth);
  return {};
}

}  // namespace millrace::json
