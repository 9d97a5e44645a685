#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/base/option_sources.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// The list of a WITH clause, to be read with an option table.
class WithOptions final {
 public:
  /// `options`: DefElem nodes. kSqlDuplicateName for a repeated name, kConfigInvalidValue for an
  /// option without a value. `script` outlives it.
  static Bound<WithOptions> Read(const std::vector<TreeNode>& options, const Script& script);

  /// All of them, by lower-case name.
  const WithOptionMap& options() const { return options_; }
  /// Where an option that is there stands in the file.
  int OffsetOf(const std::string& name) const { return offsets_.at(name); }

 private:
  WithOptionMap options_;
  std::map<std::string, int> offsets_;
};

}  // namespace millrace::internal
