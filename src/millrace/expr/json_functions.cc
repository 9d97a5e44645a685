#include <limits>
#include <string>
#include <vector>

#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/json_path.h"

namespace millrace::internal {

namespace {

constexpr TypeId kJson = TypeId::kJsonb;
constexpr TypeId kText = TypeId::kText;

/// Appends a found value as jsonb or as text; nothing found and, as text, JSON null are NULL.
class ResultAppender {
 public:
  explicit ResultAppender(bool as_text) : as_text_(as_text) {}

  void Append(const std::optional<std::string_view>& found, ColumnBuilder& out) {
    if (!found || (as_text_ && GetJsonKind(*found) == JsonKind::kNull)) {
      out.AppendNull();
    } else {
      out.AppendText(as_text_ ? JsonText(*found, scratch_) : *found);
    }
  }

 private:
  bool as_text_;
  std::string scratch_;
};

template <bool kAsText>
Column MemberKernel(const KernelCall& call) {
  ResultAppender result(kAsText);
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    result.Append(JsonMember(call.argument(0).Text(row), call.argument(1).Text(row)), out);
  });
}

template <bool kAsText>
Column ElementKernel(const KernelCall& call) {
  ResultAppender result(kAsText);
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    result.Append(JsonElement(call.argument(0).Text(row), call.argument(1).At<int32_t>(row)), out);
  });
}

/// Splits '{a,b,"c d"}', the text form of the text[] that PostgreSQL takes. False when it is not
/// one.
bool SplitPath(std::string_view text, std::vector<std::string>& steps) {
  steps.clear();
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    return false;
  }
  text = text.substr(1, text.size() - 2);
  bool quoted = false;
  std::string step;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      step += text[++i];
    } else if (text[i] == ',' && !quoted) {
      steps.push_back(std::move(step));
      step.clear();
    } else if (quoted || text[i] != ' ') {
      step += text[i];
    }
  }
  if (!text.empty()) {
    steps.push_back(std::move(step));
  }
  return !quoted;
}

std::optional<std::string_view> Walk(std::string_view json, const std::vector<std::string>& steps) {
  std::optional<std::string_view> at = json;
  for (const std::string& step : steps) {
    int64_t index = 0;
    if (GetJsonKind(*at) == JsonKind::kObject) {
      at = JsonMember(*at, step);
    } else if (ScanInteger(step, std::numeric_limits<int32_t>::min(),
                           std::numeric_limits<int32_t>::max(), index) == ScanOutcome::kOk) {
      at = JsonElement(*at, index);
    } else {
      return std::nullopt;
    }
    if (!at) {
      return std::nullopt;
    }
  }
  return at;
}

template <bool kAsText>
Column PathKernel(const KernelCall& call) {
  ResultAppender result(kAsText);
  const Operand& paths = call.argument(1);
  std::vector<std::string> steps;
  bool valid = paths.constant && SplitPath(paths.Text(0), steps);
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    if (!paths.constant) {
      valid = SplitPath(paths.Text(row), steps);
    }
    if (!valid) {
      call.Fail(row, ErrorCode::kInvalidCast, "a JSON path is written '{a,b}'");
      out.AppendNull();
      return;
    }
    result.Append(Walk(call.argument(0).Text(row), steps), out);
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
  Add(out, "#>>", {kJson, kText}, kText, PathKernel<true>, true, true);
  Add(out, "jsonb_typeof", {kJson}, kText, TypeofKernel, false, false);
  Add(out, "jsonb_array_length", {kJson}, TypeId::kInt32, ArrayLengthKernel, true, false);
}

}  // namespace millrace::internal
