#include "millrace/sql/tree_node.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace millrace::internal {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

/// Values that the tree always shows and that mean "not given".
constexpr Pair kDefaults[] = {
    {"limitOption", "LIMIT_OPTION_DEFAULT"},
    {"op", "SETOP_NONE"},
    {"oncommit", "ONCOMMIT_NOOP"},
    {"onCommit", "ONCOMMIT_NOOP"},
    {"relpersistence", "p"},
    {"withCheckOption", "NO_CHECK_OPTION"},
    {"defaction", "DEFELEM_UNSPEC"},
};

/// Fields of the tree by what the user wrote.
constexpr Pair kClauses[] = {
    {"accessMethod", "USING access method"},
    {"agg_distinct", "DISTINCT in an aggregate"},
    {"agg_filter", "FILTER"},
    {"agg_order", "ORDER BY in an aggregate"},
    {"agg_within_group", "WITHIN GROUP"},
    {"aliases", "a column list of the view"},
    {"catalogname", "a database name"},
    {"colCollation", "COLLATE"},
    {"collClause", "COLLATE"},
    {"coldeflist", "a column definition list"},
    {"colnames", "a column list of the alias"},
    {"compression", "COMPRESSION"},
    {"cooked_default", "DEFAULT"},
    {"distinctClause", "DISTINCT"},
    {"fdwoptions", "OPTIONS"},
    {"fromClause", "FROM"},
    {"func_variadic", "VARIADIC"},
    {"groupClause", "GROUP BY"},
    {"groupDistinct", "GROUP BY DISTINCT"},
    {"havingClause", "HAVING"},
    {"if_not_exists", "IF NOT EXISTS"},
    {"inhRelations", "INHERITS"},
    {"indirection", "an array subscript or field selection"},
    {"initially_deferred", "INITIALLY DEFERRED"},
    {"deferrable", "DEFERRABLE"},
    {"intoClause", "SELECT INTO"},
    {"is_no_inherit", "NO INHERIT"},
    {"isNatural", "NATURAL"},
    {"is_rowsfrom", "ROWS FROM"},
    {"lateral", "LATERAL"},
    {"limitCount", "LIMIT"},
    {"limitOffset", "OFFSET"},
    {"limitOption", "FETCH FIRST WITH TIES"},
    {"lockingClause", "FOR UPDATE"},
    {"ofTypename", "OF type"},
    {"oncommit", "ON COMMIT"},
    {"onCommit", "ON COMMIT"},
    {"op", "UNION, INTERSECT and EXCEPT"},
    {"ordinality", "WITH ORDINALITY"},
    {"over", "OVER (window functions)"},
    {"partbound", "PARTITION OF"},
    {"partspec", "PARTITION BY"},
    {"relpersistence", "TEMPORARY and UNLOGGED"},
    {"replace", "OR REPLACE"},
    {"schemaname", "a schema name"},
    {"setof", "SETOF"},
    {"skipData", "WITH NO DATA"},
    {"sortClause", "ORDER BY"},
    {"storage", "STORAGE"},
    {"tableSpaceName", "TABLESPACE"},
    {"tablespacename", "TABLESPACE"},
    {"valuesLists", "VALUES"},
    {"viewQuery", "a view query"},
    {"windowClause", "WINDOW"},
    {"withCheckOption", "WITH CHECK OPTION"},
    {"withClause", "WITH (common table expressions)"},
    {"recursive", "WITH RECURSIVE"},
};

constexpr Pair kKinds[] = {
    {"A_ArrayExpr", "ARRAY"},
    {"A_Indirection", "an array subscript or field selection"},
    {"AlterTableStmt", "ALTER TABLE"},
    {"CallStmt", "CALL"},
    {"CheckPointStmt", "CHECKPOINT"},
    {"CollateClause", "COLLATE"},
    {"CommentStmt", "COMMENT"},
    {"CompositeTypeStmt", "CREATE TYPE"},
    {"CopyStmt", "COPY"},
    {"CreateDomainStmt", "CREATE DOMAIN"},
    {"CreateEnumStmt", "CREATE TYPE"},
    {"CreateExtensionStmt", "CREATE EXTENSION"},
    {"CreateFunctionStmt", "CREATE FUNCTION"},
    {"CreateRoleStmt", "CREATE ROLE"},
    {"CreateSchemaStmt", "CREATE SCHEMA"},
    {"CreateSeqStmt", "CREATE SEQUENCE"},
    {"CreateTrigStmt", "CREATE TRIGGER"},
    {"CreatedbStmt", "CREATE DATABASE"},
    {"CurrentOfExpr", "CURRENT OF"},
    {"DeclareCursorStmt", "DECLARE"},
    {"DefineStmt", "CREATE AGGREGATE, OPERATOR and TYPE"},
    {"DeleteStmt", "DELETE"},
    {"DiscardStmt", "DISCARD"},
    {"DoStmt", "DO"},
    {"DropStmt", "DROP"},
    {"ExecuteStmt", "EXECUTE"},
    {"ExplainStmt", "EXPLAIN"},
    {"FetchStmt", "FETCH"},
    {"GrantStmt", "GRANT and REVOKE"},
    {"GroupingFunc", "GROUPING"},
    {"GroupingSet", "GROUPING SETS, ROLLUP and CUBE"},
    {"IndexStmt", "CREATE INDEX"},
    {"InsertStmt", "INSERT"},
    {"JoinExpr", "JOIN"},
    {"ListenStmt", "LISTEN"},
    {"LockStmt", "LOCK"},
    {"MergeStmt", "MERGE"},
    {"NamedArgExpr", "a named argument"},
    {"NotifyStmt", "NOTIFY"},
    {"ParamRef", "a parameter"},
    {"PrepareStmt", "PREPARE"},
    {"RangeFunction", "a function in FROM"},
    {"RangeSubselect", "a subquery in FROM"},
    {"RangeTableSample", "TABLESAMPLE"},
    {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
    {"RenameStmt", "ALTER ... RENAME"},
    {"RowExpr", "ROW"},
    {"RuleStmt", "CREATE RULE"},
    {"SelectStmt", "a query outside a view"},
    {"SetToDefault", "DEFAULT"},
    {"SubLink", "a subquery in an expression"},
    {"TableLikeClause", "LIKE in CREATE TABLE"},
    {"TransactionStmt", "a transaction statement"},
    {"TruncateStmt", "TRUNCATE"},
    {"UpdateStmt", "UPDATE"},
    {"VacuumStmt", "VACUUM and ANALYZE"},
    {"VariableSetStmt", "SET"},
    {"VariableShowStmt", "SHOW"},
    {"XmlExpr", "XML"},
};

const std::string_view* Lookup(std::span<const Pair> pairs, std::string_view key) {
  const auto at =
      std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.first == key; });
  return at == pairs.end() ? nullptr : &at->second;
}

bool IsDefault(std::string_view field, const boost::json::value& value) {
  // Presentation only: no meaning is lost with them.
  constexpr std::string_view kPositions[] = {"location", "stmt_len",   "inh",          "is_local",
                                             "typemod",  "funcformat", "stmt_location"};
  if (std::ranges::find(kPositions, field) != std::end(kPositions)) {
    return true;
  }
  const bool is_default =
      value.is_string() &&
      std::ranges::find(kDefaults, Pair(field, std::string_view(value.get_string()))) !=
          std::end(kDefaults);
  return is_default || (value.is_object() && value.get_object().empty());
}

}  // namespace

TreeNode::TreeNode(const boost::json::value& wrapped) {
  const boost::json::object* object = wrapped.if_object();
  if (object != nullptr && object->size() == 1) {
    kind_ = object->begin()->key();
    fields_ = object->begin()->value().if_object();
  }
}

TreeNode::TreeNode(std::string_view kind, const boost::json::value& fields)
    : kind_(kind), fields_(fields.if_object()) {}

const boost::json::value* TreeNode::Find(std::string_view field) const {
  return fields_ == nullptr ? nullptr : fields_->if_contains(field);
}

int TreeNode::offset() const {
  const boost::json::value* value = Find("location");
  return value == nullptr ? -1 : static_cast<int>(value->as_int64());
}

std::string TreeNode::Text(std::string_view field) const {
  const boost::json::value* value = Find(field);
  return value == nullptr || !value->is_string() ? "" : std::string(value->get_string());
}

int64_t TreeNode::Integer(std::string_view field) const {
  const boost::json::value* value = Find(field);
  return value == nullptr || !value->is_int64() ? 0 : value->get_int64();
}

bool TreeNode::Flag(std::string_view field) const {
  const boost::json::value* value = Find(field);
  return value != nullptr && value->is_bool() && value->get_bool();
}

TreeNode TreeNode::Child(std::string_view field) const {
  const boost::json::value* value = Find(field);
  return value == nullptr ? TreeNode() : TreeNode(*value);
}

TreeNode TreeNode::Bare(std::string_view field) const {
  const boost::json::value* value = Find(field);
  return value == nullptr ? TreeNode() : TreeNode(field, *value);
}

std::vector<TreeNode> TreeNode::List(std::string_view field) const {
  std::vector<TreeNode> nodes;
  const boost::json::value* value = Find(field);
  if (value != nullptr && value->is_array()) {
    for (const boost::json::value& element : value->get_array()) {
      nodes.emplace_back(element);
    }
  }
  return nodes;
}

std::vector<std::string> TreeNode::Names(std::string_view field) const {
  std::vector<std::string> names;
  for (const TreeNode& node : List(field)) {
    names.push_back(node.Text("sval"));
  }
  return names;
}

Bound<void> TreeNode::AllowOnly(std::initializer_list<std::string_view> handled, int offset) const {
  if (fields_ == nullptr) {
    return {};
  }
  for (const auto& [key, value] : *fields_) {
    const std::string_view field = key;
    if (std::ranges::find(handled, field) == handled.end() && !IsDefault(field, value)) {
      const std::string_view* clause = Lookup(kClauses, field);
      return Unsupported(
          offset, clause == nullptr ? fmt::format("{} of {}", field, kind_) : std::string(*clause));
    }
  }
  return {};
}

std::unexpected<LocatedError> Unsupported(int offset, std::string_view what,
                                          const std::string& hint) {
  return ErrAt(offset, ErrorCode::kSqlNotSupported, fmt::format("not supported: {}", what), hint);
}

std::string DescribeKind(std::string_view kind) {
  const std::string_view* name = Lookup(kKinds, kind);
  return std::string(name == nullptr ? kind : *name);
}

}  // namespace millrace::internal
