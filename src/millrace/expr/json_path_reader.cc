#include "millrace/expr/json_path_reader.h"

#include <string>

namespace millrace::internal {

namespace {

constexpr size_t kPathAt = 1;

}  // namespace

Result<Prepared> PrepareJsonPath(std::span<const Value* const> literals) {
  if (literals[kPathAt] == nullptr) {
    return nullptr;
  }
  MR_ASSIGN(JsonPath path, ParseJsonPath(literals[kPathAt]->Get<std::string>()));
  return std::make_shared<const JsonPath>(std::move(path));
}

const JsonPath* JsonPathReader::At(size_t row) {
  if (constant_ != nullptr) {
    return constant_;
  }
  auto path = ParseJsonPath(call_.argument(kPathAt).Text(row));
  if (!path) {
    call_.Fail(row, path.error().code(), path.error().message());
    return nullptr;
  }
  path_ = *std::move(path);
  return &path_;
}

}  // namespace millrace::internal
