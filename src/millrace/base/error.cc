#include "millrace/base/error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/base/check.h"

namespace millrace {

namespace {

constexpr auto kTable = std::to_array<ErrorCodeInfo>({
#define MR_ERROR(name, number, retry, meaning) {ErrorCode::k##name, #name, Retry::retry, meaning},
#include "millrace/base/error_codes.inc"
#undef MR_ERROR
});

static_assert(std::ranges::is_sorted(kTable, std::less_equal{},
                                     [](const ErrorCodeInfo& row) { return row.code; }),
              "error codes must be unique and ascending");

}  // namespace

struct Error::Detail {
  ErrorCode code;
  std::string message;
  std::vector<std::string> context;
  std::string hint;
  std::source_location where;
};

std::span<const ErrorCodeInfo> AllErrorCodes() { return kTable; }

const ErrorCodeInfo& Describe(ErrorCode code) {
  const auto* row = std::ranges::lower_bound(kTable, code, {}, &ErrorCodeInfo::code);
  MR_CHECK(row != kTable.end() && row->code == code, "code {}", static_cast<int>(code));
  return *row;
}

Error::Error(ErrorCode code, std::string message, std::source_location where)
    : detail_(std::make_shared<const Detail>(Detail{.code = code,
                                                    .message = std::move(message),
                                                    .context = {},
                                                    .hint = {},
                                                    .where = where})) {}

ErrorCode Error::code() const { return detail_->code; }
Retry Error::retry() const { return Describe(detail_->code).retry; }
const std::string& Error::message() const { return detail_->message; }
const std::vector<std::string>& Error::context() const { return detail_->context; }
const std::string& Error::hint() const { return detail_->hint; }
std::source_location Error::where() const { return detail_->where; }

Error Error::WithContext(std::string context) const {
  Detail copy = *detail_;
  copy.context.insert(copy.context.begin(), std::move(context));
  return Error(std::make_shared<const Detail>(std::move(copy)));
}

Error Error::WithHint(std::string hint) const {
  Detail copy = *detail_;
  copy.hint = std::move(hint);
  return Error(std::make_shared<const Detail>(std::move(copy)));
}

std::string Error::ToString() const {
  std::string text = fmt::format("MR{}: ", number());
  for (const std::string& context : detail_->context) {
    fmt::format_to(std::back_inserter(text), "{}: ", context);
  }
  text += detail_->message;
  if (!detail_->hint.empty()) {
    fmt::format_to(std::back_inserter(text), " ({})", detail_->hint);
  }
  return text;
}

}  // namespace millrace
