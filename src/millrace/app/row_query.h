#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/data/value.h"
#include "millrace/serve/query_service.h"

namespace millrace {

/// The first rows of a view by some order that pass some filters: collects from batches in any
/// order and keeps no more than it needs. Rows that are equal in the given order are ordered by all
/// their columns, so that a cursor (the last row of a page, and how often it was given) always has
/// one place.
class RowQuery {
 public:
  /// Errors: kSqlUnknownColumn, kSqlInvalidLiteral, kHttpBadRequest for a cursor of another query.
  static Result<RowQuery> Make(const SchemaPtr& schema, const serve::ViewQuery& query);

  /// Takes the rows of a batch, each as often as `counts` says (all once when empty).
  void Add(const Batch& batch, std::span<const int64_t> counts);

  /// Appends "rows":[...] and "next_cursor":... to a JSON object.
  void AppendAnswer(std::string& out) const;

 private:
  using Row = std::vector<Value>;
  struct Filter {
    size_t column = 0;
    serve::FilterOperator operation = serve::FilterOperator::kEqual;
    Value value;
  };
  struct Key {
    size_t column;
    bool is_descending;
  };

  explicit RowQuery(SchemaPtr schema) : schema_(std::move(schema)) {}

  bool Passes(const Batch& batch, size_t row) const;
  bool Before(const Row& a, const Row& b) const;
  bool IsSame(const Row& a, const Row& b) const { return !Before(a, b) && !Before(b, a); }
  /// Of a page that ends with the last of `rows`.
  std::string CursorOf(std::span<const Row> rows) const;
  Status ReadCursor(std::string_view cursor);

  SchemaPtr schema_;
  std::vector<Filter> filters_;
  std::vector<Key> keys_;
  size_t limit_ = 0;
  std::optional<Row> after_;
  uint64_t given_ = 0;    ///< How often pages before have given `after_`.
  uint64_t to_skip_ = 0;  ///< Of these the ones that have not come yet.
  /// A heap of the best limit_ + 1 rows, the last of them on top.
  std::vector<Row> rows_;
};

}  // namespace millrace
