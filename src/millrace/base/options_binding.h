#pragma once

// The templates of options.h: how a member's type decides what is parsed and printed.

#include <concepts>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/options.h"

namespace millrace {

namespace internal {

/// How one member type is named, read and printed.
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
struct OptionCodec<ByteSize> {
  static constexpr std::string_view kType = "bytes";
  static Result<ByteSize> Parse(const Setting& setting) { return ParseByteSize(setting.text); }
  static std::string Print(ByteSize value) { return FormatByteSize(value); }
  static int64_t Order(ByteSize value) { return value.bytes; }
};

template <>
struct OptionCodec<Duration> {
  static constexpr std::string_view kType = "duration";
  static Result<Duration> Parse(const Setting& setting) { return ParseDuration(setting.text); }
  static std::string Print(Duration value) { return FormatDuration(value); }
  static int64_t Order(Duration value) { return value.count(); }
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

}  // namespace internal

template <typename T>
template <typename M>
typename OptionTable<T>::Added OptionTable<T>::Add(std::string name, M T::* member,
                                                   std::string help) {
  using Codec = internal::OptionCodec<M>;
  internal::BoundOption option;
  option.info = {.name = std::move(name),
                 .type = Codec::kType,
                 .default_text = Codec::Print(T{}.*member),
                 .bounds = {},
                 .help = std::move(help)};
  option.store = [member](const Setting& setting, void* target) -> Status {
    MR_ASSIGN(static_cast<T*>(target)->*member, Codec::Parse(setting));
    return {};
  };
  option.print = [member](const void* target) {
    return Codec::Print(static_cast<const T*>(target)->*member);
  };
  if constexpr (requires(M value) { Codec::Order(value); }) {
    option.order = [](const Setting& setting) -> Result<int64_t> {
      MR_ASSIGN(const M value, Codec::Parse(setting));
      return Codec::Order(value);
    };
  }
  options_.push_back(std::move(option));
  return Added(options_.back());
}

template <typename T>
template <typename E>
typename OptionTable<T>::Added OptionTable<T>::AddChoice(
    std::string name, E T::* member, std::vector<std::pair<std::string_view, E>> choices,
    std::string help) {
  internal::BoundOption option;
  std::string names;
  for (const auto& choice : choices) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", choice.first);
  }
  option.print = [member, choices](const void* target) {
    for (const auto& [choice, value] : choices) {
      if (value == static_cast<const T*>(target)->*member) {
        return std::string(choice);
      }
    }
    return std::string();
  };
  const T defaults{};
  option.info = {.name = std::move(name),
                 .type = "choice",
                 .default_text = option.print(&defaults),
                 .bounds = names,
                 .help = std::move(help)};
  option.store = [member, choices = std::move(choices), names](const Setting& setting,
                                                               void* target) -> Status {
    for (const auto& [choice, value] : choices) {
      if (choice == setting.text) {
        static_cast<T*>(target)->*member = value;
        return {};
      }
    }
    return Err(ErrorCode::kConfigInvalidValue,
               fmt::format("expected one of {}, got '{}'", names, setting.text));
  };
  options_.push_back(std::move(option));
  return Added(options_.back());
}

template <typename T>
typename OptionTable<T>::Added& OptionTable<T>::Added::Between(std::string_view minimum,
                                                               std::string_view maximum) {
  internal::LimitOption(option_, minimum, maximum);
  return *this;
}

}  // namespace millrace
