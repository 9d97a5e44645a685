#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "millrace/expr/calendar.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"
#include "millrace/expr/time_format.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr size_t kFormatAt = 1;

/// Fields that only to_char knows, and FX, which is not there.
Status CheckInput(const TimeFormat& format) {
  for (const TimeFormatNode& node : format.nodes()) {
    constexpr TimeField kOutputOnly[] = {TimeField::kCentury, TimeField::kExact, TimeField::kOffset,
                                         TimeField::kZoneName};
    if (node.kind == TimeFormatNode::Kind::kField &&
        std::ranges::find(kOutputOnly, node.field) != std::end(kOutputOnly)) {
      return Err(ErrorCode::kInvalidCast,
                 fmt::format("the pattern {} of a time format is not supported here", node.text));
    }
  }
  return {};
}

Result<TimeFormat> ParseChecked(std::string_view text, bool input) {
  MR_ASSIGN(TimeFormat format, TimeFormat::Parse(text));
  MR_TRY(input ? CheckInput(format) : Status());
  return format;
}

template <bool kInput>
Result<Prepared> PrepareFormat(std::span<const Value* const> literals) {
  if (literals[kFormatAt] == nullptr) {
    return nullptr;
  }
  MR_ASSIGN(TimeFormat format, ParseChecked(literals[kFormatAt]->Get<std::string>(), kInput));
  return std::make_shared<const TimeFormat>(std::move(format));
}

/// Gives the format of each row.
class FormatReader {
 public:
  FormatReader(const KernelCall& call, bool input)
      : call_(call), input_(input), constant_(static_cast<const TimeFormat*>(call.prepared)) {}

  /// Null when the row has failed.
  const TimeFormat* At(size_t row) {
    if (constant_ != nullptr) {
      return constant_;
    }
    const std::string_view text = call_.argument(kFormatAt).Text(row);
    if (!format_ || text != text_) {
      auto parsed = ParseChecked(text, input_);
      if (!parsed) {
        call_.Fail(row, parsed.error().code(), parsed.error().message());
        return nullptr;
      }
      format_ = *std::move(parsed);
      text_ = text;
    }
    return &*format_;
  }

 private:
  const KernelCall& call_;
  bool input_;
  const TimeFormat* constant_;
  std::optional<TimeFormat> format_;
  std::string text_;
};

template <typename T, bool kZoned>
TimeParts Parts(const T& value) {
  if constexpr (std::is_same_v<T, Interval>) {
    return PartsOf(value);
  } else {
    return PartsOf(value, kZoned);
  }
}

template <typename T, bool kZoned>
Column ToCharKernel(const KernelCall& call) {
  FormatReader formats(call, false);
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const TimeFormat* format = formats.At(row);
    if (format == nullptr || format->nodes().empty()) {
      return false;  // PostgreSQL gives NULL for an empty format.
    }
    const Status done =
        AppendFormatted(out, *format, Parts<T, kZoned>(call.argument(0).At<T>(row)));
    if (!done) {
      call.Fail(row, done.error().code(), done.error().message());
    }
    return done.has_value();
  });
}

template <typename Out>
Column ParseKernel(const KernelCall& call) {
  FormatReader formats(call, true);
  return ComputeRows<Out>(call, [&](size_t row) -> Out {
    const TimeFormat* format = formats.At(row);
    if (format == nullptr) {
      return 0;
    }
    const auto at = ParseFormatted(call.argument(0).Text(row), *format);
    if (!at) {
      call.Fail(row, at.error().code(), at.error().message());
      return 0;
    }
    if constexpr (std::is_same_v<Out, int32_t>) {
      return DayOf(*at);
    } else {
      return *at;
    }
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, TypeId argument, TypeId result,
         Kernel kernel, ScalarFunction::Prepare prepare) {
  out.push_back({.name = name,
                 .arguments = {argument, kText},
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .prepare = prepare,
                 .may_give_null = true});
}

}  // namespace

void AddTimeFormatFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "to_char", TypeId::kTimestamptz, kText, ToCharKernel<Micros, true>,
      PrepareFormat<false>);
  Add(out, "to_char", TypeId::kTimestamp, kText, ToCharKernel<Micros, false>, PrepareFormat<false>);
  Add(out, "to_char", TypeId::kInterval, kText, ToCharKernel<Interval, false>,
      PrepareFormat<false>);
  Add(out, "to_timestamp", kText, TypeId::kTimestamptz, ParseKernel<Micros>, PrepareFormat<true>);
  Add(out, "to_date", kText, TypeId::kDate, ParseKernel<int32_t>, PrepareFormat<true>);
}

}  // namespace millrace::internal
