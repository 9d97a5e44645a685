#include <optional>
#include <string>
#include <vector>

#include "millrace/expr/functions.h"
#include "millrace/expr/json_path.h"
#include "millrace/expr/json_path_reader.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

// Reading jsonb: parts refer to the text that they come from.

constexpr TypeId kJson = TypeId::kJsonb;
constexpr TypeId kText = TypeId::kText;

/// Appends a found value as jsonb or as text; nothing found and, as text, JSON null are NULL.
class ResultAppender {
 public:
  ResultAppender(const KernelCall& call, bool as_text) : builder_(call, 0), as_text_(as_text) {}

  void Append(size_t row, const std::optional<std::string_view>& found) {
    if (!found || (as_text_ && GetJsonKind(*found) == JsonKind::kNull)) {
      builder_.AppendNull();
      return;
    }
    const std::string_view text = as_text_ ? JsonText(*found, scratch_) : *found;
    if (text.data() == scratch_.data()) {
      builder_.AppendText(text);
    } else {
      builder_.AppendPart(row, text);
    }
  }
  void AppendNull() { builder_.AppendNull(); }
  Column Finish() { return builder_.Finish(); }

 private:
  PartBuilder builder_;
  bool as_text_;
  std::string scratch_;
};

/// Calls `find(row, json) -> std::optional<std::string_view>` for rows that are not NULL.
template <bool kAsText, typename Find>
Column FindParts(const KernelCall& call, Find find) {
  ResultAppender result(call, kAsText);
  for (size_t row = 0; row < call.rows; ++row) {
    if (call.IsValid(row)) {
      result.Append(row, find(row, call.argument(0).Text(row)));
    } else {
      result.AppendNull();
    }
  }
  return result.Finish();
}

template <bool kAsText>
Column MemberKernel(const KernelCall& call) {
  return FindParts<kAsText>(call, [&](size_t row, std::string_view json) {
    return JsonMember(json, call.argument(1).Text(row));
  });
}

template <bool kAsText>
Column ElementKernel(const KernelCall& call) {
  return FindParts<kAsText>(call, [&](size_t row, std::string_view json) {
    const int32_t index = call.argument(1).At<int32_t>(row);
    // To PostgreSQL a scalar at the top is an array of one.
    const bool scalar =
        GetJsonKind(json) != JsonKind::kArray && GetJsonKind(json) != JsonKind::kObject;
    return scalar && (index == 0 || index == -1) ? std::optional(json) : JsonElement(json, index);
  });
}

template <bool kAsText>
Column PathKernel(const KernelCall& call) {
  JsonPathReader paths(call);
  return FindParts<kAsText>(call, [&](size_t row, std::string_view json) {
    const JsonPath* path = paths.At(row);
    return path == nullptr ? std::nullopt : JsonAtPath(json, *path);
  });
}

/// jsonb_extract_path(json, step, ...).
template <bool kAsText>
Column ExtractKernel(const KernelCall& call) {
  JsonPath path(call.arguments.size() - 1);
  return FindParts<kAsText>(call, [&](size_t row, std::string_view json) {
    for (size_t i = 0; i < path.size(); ++i) {
      path[i] = call.argument(i + 1).Text(row);
    }
    return JsonAtPath(json, path);
  });
}

Column TypeofKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    out.AppendText(JsonKindName(GetJsonKind(call.argument(0).Text(row))));
  });
}

Column ArrayLengthKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const std::string_view json = call.argument(0).Text(row);
    if (GetJsonKind(json) != JsonKind::kArray) {
      call.Fail(row, ErrorCode::kInvalidCast, "jsonb_array_length of what is not an array");
      return 0;
    }
    return static_cast<int32_t>(JsonLength(json));
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         TypeId result, Kernel kernel, bool may_fail, bool may_give_null) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .may_fail = may_fail,
                 .may_give_null = may_give_null});
}

}  // namespace

void AddJsonFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "->", {kJson, kText}, kJson, MemberKernel<false>, false, true);
  Add(out, "->>", {kJson, kText}, kText, MemberKernel<true>, false, true);
  Add(out, "->", {kJson, TypeId::kInt32}, kJson, ElementKernel<false>, false, true);
  Add(out, "->>", {kJson, TypeId::kInt32}, kText, ElementKernel<true>, false, true);
  Add(out, "#>", {kJson, kText}, kJson, PathKernel<false>, true, true);
  out.back().prepare = PrepareJsonPath;
  Add(out, "#>>", {kJson, kText}, kText, PathKernel<true>, true, true);
  out.back().prepare = PrepareJsonPath;
  Add(out, "jsonb_extract_path", {kJson, kText}, kJson, ExtractKernel<false>, false, true);
  out.back().variadic = true;
  Add(out, "jsonb_extract_path_text", {kJson, kText}, kText, ExtractKernel<true>, false, true);
  out.back().variadic = true;
  Add(out, "jsonb_typeof", {kJson}, kText, TypeofKernel, false, false);
  Add(out, "jsonb_array_length", {kJson}, TypeId::kInt32, ArrayLengthKernel, true, false);
}

}  // namespace millrace::internal
