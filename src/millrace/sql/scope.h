#pragma once

#include <string>
#include <vector>

#include "millrace/data/schema.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// The columns that names in an expression can mean: those of one plan node, in its order.
class Scope {
 public:
  struct Entry {
    std::string qualifier;  ///< Table name or alias.
    Field field;
    bool hidden = false;  ///< Found only by its qualifier, and not meant by *.
  };

  Scope() = default;
  Scope(const std::string& qualifier, const Schema& schema);

  /// The columns of a join: those of `left`, then those of `right`.
  static Scope Of(const Scope& left, const Scope& right);

  /// Of the two columns of USING that are one.
  void Hide(size_t index) { entries_[index].hidden = true; }

  size_t size() const { return entries_.size(); }
  const Entry& entry(size_t index) const { return entries_[index]; }
  bool HasQualifier(const std::string& qualifier) const;

  /// Finds `name` or `qualifier.name` (empty = any). kSqlUnknownColumn with the nearest name,
  /// kSqlUnknownRelation for a qualifier that is not there, kSqlAmbiguousColumn.
  Bound<size_t> Find(const std::string& qualifier, const std::string& name, int offset) const;
  /// As Find, but none when there is no such column or more than one.
  std::optional<size_t> FindUnique(const std::string& name) const;

 private:
  std::vector<size_t> Matches(const std::string& qualifier, const std::string& name) const;

  std::vector<Entry> entries_;
};

}  // namespace millrace::internal
