#pragma once

#include <chrono>
#include <concepts>
#include <limits>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/int128.h"
#include "millrace/base/option_sources.h"
#include "millrace/base/option_values.h"
#include "millrace/base/result.h"

namespace millrace {

/// How one member type is named, read and printed. A component may specialise it for a type of its
/// own: kType, Parse and Print; Order too if values can have bounds. Parse fails with
/// kConfigInvalidValue and a message "expected ..., got '...'".
template <typename M>
struct OptionCodec;

template <>
struct OptionCodec<bool> {
  static constexpr std::string_view kType = "boolean";
  static Result<bool> Parse(const Setting& setting) { return ParseOptionBool(setting.text); }
  static std::string Print(bool value) { return value ? "true" : "false"; }
};

template <std::integral M>
  requires(!std::same_as<M, bool>)
struct OptionCodec<M> {
  static constexpr std::string_view kType = "integer";
  static Result<M> Parse(const Setting& setting) {
    MR_ASSIGN(const int64_t value, ParseOptionInteger(setting.text));
    if (!std::in_range<M>(value)) {
      return Err(ErrorCode::kConfigInvalidValue, fmt::format("{} is out of range", value));
    }
    return static_cast<M>(value);
  }
  static std::string Print(M value) { return fmt::format("{}", value); }
  static int64_t Order(M value) { return static_cast<int64_t>(value); }
};

template <>
struct OptionCodec<double> {
  static constexpr std::string_view kType = "number";
  static Result<double> Parse(const Setting& setting) { return ParseOptionNumber(setting.text); }
  static std::string Print(double value) { return fmt::format("{}", value); }
};

template <>
struct OptionCodec<ByteSize> {
  static constexpr std::string_view kType = "bytes";
  static Result<ByteSize> Parse(const Setting& setting) { return ParseByteSize(setting.text); }
  static std::string Print(ByteSize value) { return FormatByteSize(value); }
  static int64_t Order(ByteSize value) { return value.bytes; }
};

/// What an unset optional one prints as is nothing.
template <typename Rep, typename Period>
struct OptionCodec<std::chrono::duration<Rep, Period>> {
  using Value = std::chrono::duration<Rep, Period>;

  static constexpr std::string_view kType = "duration";
  static Result<Value> Parse(const Setting& setting) {
    MR_ASSIGN(const Duration micros, ParseDuration(setting.text));
    if constexpr (std::ratio_less_v<Period, Duration::period>) {
      if (micros > std::chrono::duration_cast<Duration>(Value::max())) {
        return Err(ErrorCode::kConfigInvalidValue, fmt::format("{} is too long", setting.text));
      }
    }
    const auto value = std::chrono::duration_cast<Value>(micros);
    if (std::chrono::duration_cast<Duration>(value) != micros) {
      return Err(ErrorCode::kConfigInvalidValue,
                 fmt::format("expected a multiple of {}, got '{}'",
                             FormatDuration(std::chrono::duration_cast<Duration>(Value(1))),
                             setting.text));
    }
    return value;
  }
  static std::string Print(Value value) {
    return FormatDuration(std::chrono::duration_cast<Duration>(value));
  }
  static int64_t Order(Value value) { return std::chrono::duration_cast<Duration>(value).count(); }
};

template <>
struct OptionCodec<std::string> {
  static constexpr std::string_view kType = "text";
  static Result<std::string> Parse(const Setting& setting) { return setting.text; }
  static std::string Print(const std::string& value) { return value; }
};

template <>
struct OptionCodec<Secret> {
  static constexpr std::string_view kType = "secret";
  static Result<Secret> Parse(const Setting& setting) { return Secret{setting.text}; }
  static std::string Print(const Secret& value) {
    return value.value.empty() ? std::string() : std::string(kSecretDots);
  }
};

template <>
struct OptionCodec<std::vector<std::string>> {
  static constexpr std::string_view kType = "list";
  static Result<std::vector<std::string>> Parse(const Setting& setting) {
    return setting.is_list ? setting.items : ParseOptionList(setting.text);
  }
  static std::string Print(const std::vector<std::string>& value) {
    return fmt::format("{}", fmt::join(value, ", "));
  }
};

/// An option without a default.
template <typename M>
struct OptionCodec<std::optional<M>> {
  static constexpr std::string_view kType = OptionCodec<M>::kType;
  static Result<std::optional<M>> Parse(const Setting& setting) {
    MR_ASSIGN(M value, OptionCodec<M>::Parse(setting));
    return std::optional<M>(std::move(value));
  }
  static std::string Print(const std::optional<M>& value) {
    return value ? OptionCodec<M>::Print(*value) : std::string();
  }
  static int64_t Order(const std::optional<M>& value)
    requires requires(M inner) { OptionCodec<M>::Order(inner); }
  {
    return OptionCodec<M>::Order(*value);
  }
};

/// A member that is a plain integer and holds bytes.
template <std::integral M>
struct ByteCountCodec {
  static constexpr std::string_view kType = "bytes";
  static Result<M> Parse(const Setting& setting) {
    MR_ASSIGN(const ByteSize size, ParseByteSize(setting.text));
    if (!std::in_range<M>(size.bytes)) {
      return Err(ErrorCode::kConfigInvalidValue, fmt::format("{} is too large", setting.text));
    }
    return static_cast<M>(size.bytes);
  }
  static std::string Print(M value) { return FormatByteSize({static_cast<int64_t>(value)}); }
  static int64_t Order(M value) { return static_cast<int64_t>(value); }
};

}  // namespace millrace
