#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/codec/field_path.h"
#include "millrace/data/schema.h"

namespace millrace::json {

/// Which fields of a record are columns, and which are objects that hold such fields. Fields have
/// numbers: those of columns are the schema's, those of objects follow. Immutable.
class FieldTree {
 public:
  static constexpr int32_t kUndeclared = -1;

  /// An object whose fields are looked at; the first is the record itself.
  struct Object {
    std::unordered_map<std::string, int32_t> fields;
    uint32_t parent = 0;
    uint32_t depth = 0;  ///< Objects around it.
    std::string path;
  };

  /// `left_out`: a column that no field fills, or schema.size(). Error: kSqlInvalidDefinition when
  /// two columns want one field, or one an object and the other a field in it.
  static Result<FieldTree> Make(const Schema& schema, const FieldPaths& paths, size_t left_out);

  size_t columns_count() const { return depths_.size(); }
  size_t fields_count() const { return columns_count() + objects_.size() - 1; }
  const Object& object(uint32_t number) const { return objects_[number]; }
  /// The object that a field number beyond the columns stands for.
  uint32_t ObjectOf(int32_t field) const {
    return static_cast<uint32_t>(static_cast<size_t>(field) - columns_count() + 1);
  }
  /// Objects around a column's value, the record not counted.
  uint32_t depth(size_t column) const { return depths_[column]; }

  /// Number of the field in the object, or kUndeclared.
  int32_t Find(uint32_t object, const std::string& name) const {
    const auto& fields = objects_[object].fields;
    const auto found = fields.find(name);
    return found == fields.end() ? kUndeclared : found->second;
  }

 private:
  Status Add(const Schema& schema, size_t column, const FieldPath& path);

  std::vector<Object> objects_{1};
  std::vector<uint32_t> depths_;
};

}  // namespace millrace::json
