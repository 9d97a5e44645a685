#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/number_format.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

constexpr size_t kFormatAt = 1;

Result<Prepared> PrepareFormat(std::span<const Value* const> literals) {
  if (literals[kFormatAt] == nullptr) {
    return nullptr;
  }
  MR_ASSIGN(NumberFormat format, NumberFormat::Parse(literals[kFormatAt]->Get<std::string>()));
  return std::make_shared<const NumberFormat>(std::move(format));
}

/// Writes the digits of |value|, rounded to `post` digits behind the point, into `digits`; `post`
/// becomes less where a float has no more. Returns whether the number shows as negative.
template <typename T>
bool Digits(T value, uint8_t scale, int& post, std::string& digits) {
  if constexpr (std::is_floating_point_v<T>) {
    // No more digits than the type surely holds, as in PostgreSQL.
    constexpr int kDigits = std::numeric_limits<T>::digits10;
    const auto before = static_cast<int>(fmt::formatted_size("{:.0f}", std::abs(value)));
    post = std::clamp(kDigits - before, 0, post);
    fmt::format_to(std::back_inserter(digits), "{:.{}f}", value, post);
  } else if constexpr (std::is_same_v<T, Int128>) {
    const auto rounded = Rescale(value, scale, static_cast<uint8_t>(std::min<int>(post, scale)));
    AppendNumeric(digits, *rounded, static_cast<uint8_t>(std::min<int>(post, scale)));
  } else {
    AppendInteger(digits, value);
  }
  const bool negative = digits.starts_with('-');
  digits.erase(0, negative ? 1 : 0);
  const size_t point = digits.find('.');
  const bool exact = !std::is_floating_point_v<T>;
  if (exact && post > 0) {
    const size_t behind = point == std::string::npos ? 0 : digits.size() - point - 1;
    digits += point == std::string::npos ? "." : "";
    digits.append(static_cast<size_t>(post) - behind, '0');
  }
  return negative;
}

template <typename T>
Column ToCharKernel(const KernelCall& call) {
  const auto* constant = static_cast<const NumberFormat*>(call.prepared);
  const uint8_t scale = call.argument(0).column.type().scale;
  std::optional<NumberFormat> parsed;
  std::string digits;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    if (constant == nullptr) {
      auto format = NumberFormat::Parse(call.argument(kFormatAt).Text(row));
      if (!format) {
        call.Fail(row, format.error().code(), format.error().message());
        return false;
      }
      parsed = *std::move(format);
    }
    const NumberFormat& format = constant == nullptr ? *parsed : *constant;
    const T value = call.argument(0).At<T>(row);
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        call.Fail(row, ErrorCode::kNumericOutOfRange, "to_char of a number that is not finite");
        return false;
      }
    }
    digits.clear();
    int post = format.post();
    const bool negative = Digits<T>(value, scale, post, digits);
    format.Append(out, digits, post, negative);
    return true;
  });
}

}  // namespace

void AddNumberFormatFunctions(std::vector<ScalarFunction>& out) {
  const auto add = [&out](TypeId type, Kernel kernel) {
    out.push_back({.name = "to_char",
                   .arguments = {type, TypeId::kText},
                   .result = DataType::Of(TypeId::kText),
                   .kernel = kernel,
                   .prepare = PrepareFormat});
  };
  add(TypeId::kInt32, ToCharKernel<int32_t>);
  add(TypeId::kInt64, ToCharKernel<int64_t>);
  add(TypeId::kFloat32, ToCharKernel<float>);
  add(TypeId::kFloat64, ToCharKernel<double>);
  add(TypeId::kNumeric, ToCharKernel<Int128>);
}

}  // namespace millrace::internal
