#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/plan/definitions.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// The list of a WITH clause. Take functions hand out what belongs to the SQL layer; the rest is
/// for the connector or the view's owner.
class WithOptions final {
 public:
  struct Value {
    std::string text;
    int offset = 0;
  };

  /// `options`: DefElem nodes. kSqlDuplicateName for a repeated name, kConfigInvalidValue for an
  /// option without a value.
  static Bound<WithOptions> Read(const std::vector<TreeNode>& options, const Script& script);

  std::optional<Value> Take(const std::string& name);
  /// A non-negative interval without months, in microseconds. kConfigInvalidValue.
  Bound<std::optional<Micros>> TakeInterval(const std::string& name);
  /// An integer in [minimum, maximum]. kConfigInvalidValue.
  Bound<std::optional<int64_t>> TakeInteger(const std::string& name, int64_t minimum,
                                            int64_t maximum);
  /// Names separated by commas.
  std::optional<std::vector<Value>> TakeNames(const std::string& name);

  /// What nobody took, by lower-case name.
  std::map<std::string, std::string> Rest() const;

 private:
  std::map<std::string, Value> values_;
};

}  // namespace millrace::internal
