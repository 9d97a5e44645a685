#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "millrace/sql/located_error.h"

namespace millrace::internal {

/// A node of libpg_query's parse tree: a kind such as "SelectStmt" and its fields. What is not set
/// is not there, and every accessor gives the empty value for it. A view; the Script owns the tree.
class TreeNode {
 public:
  TreeNode() = default;
  /// From a wrapped node, {"Kind": {fields}}; an empty object is the null node.
  explicit TreeNode(const boost::json::value& wrapped);
  /// From bare fields whose kind the grammar implies, as RangeVar in CreateStmt.relation.
  TreeNode(std::string_view kind, const boost::json::value& fields);

  explicit operator bool() const { return fields_ != nullptr; }
  std::string_view kind() const { return kind_; }
  bool Is(std::string_view kind) const { return kind_ == kind; }
  /// Byte offset in the text; -1 when unknown.
  int offset() const;

  bool Has(std::string_view field) const { return Find(field) != nullptr; }
  std::string Text(std::string_view field) const;
  int64_t Integer(std::string_view field) const;
  bool Flag(std::string_view field) const;
  TreeNode Child(std::string_view field) const;
  /// A field whose kind the grammar implies.
  TreeNode Bare(std::string_view field) const;
  std::vector<TreeNode> List(std::string_view field) const;
  /// The strings of a list of String nodes, such as a qualified name.
  std::vector<std::string> Names(std::string_view field) const;

  /// Refuses, with kSqlNotSupported and by its SQL name, every field that is set to something and
  /// not among `handled`.
  Bound<void> AllowOnly(std::initializer_list<std::string_view> handled, int offset) const;

 private:
  const boost::json::value* Find(std::string_view field) const;

  std::string_view kind_;
  const boost::json::object* fields_ = nullptr;
};

/// kSqlNotSupported for a construct, named as users know it.
std::unexpected<LocatedError> Unsupported(int offset, std::string_view what,
                                          const std::string& hint = {});

/// What a node kind is called in SQL, for messages.
std::string DescribeKind(std::string_view kind);

}  // namespace millrace::internal
