#pragma once

#include "millrace/expr/functions.h"
#include "millrace/expr/json_path.h"

namespace millrace::internal {

/// Prepares the paths of #>, #-, ?| and ?&, their second argument: a literal is parsed once.
Result<Prepared> PrepareJsonPath(std::span<const Value* const> literals);

/// Gives the path of each row to a kernel whose function prepares with PrepareJsonPath.
class JsonPathReader {
 public:
  explicit JsonPathReader(const KernelCall& call)
      : call_(call), constant_(static_cast<const JsonPath*>(call.prepared)) {}

  /// Null when the row has failed. Valid until the next call.
  const JsonPath* At(size_t row);

 private:
  const KernelCall& call_;
  const JsonPath* constant_;
  JsonPath path_;
};

}  // namespace millrace::internal
