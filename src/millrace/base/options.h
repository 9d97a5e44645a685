#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/option_sources.h"
#include "millrace/base/option_values.h"
#include "millrace/base/result.h"

namespace millrace {

/// What the reference, `config print` and messages say about an option.
struct OptionInfo {
  std::string name;          ///< Dotted and lower case: http.listen. WITH options have no dots.
  std::string_view type;     ///< boolean, integer, bytes, duration, text, list, secret or choice.
  std::string default_text;  ///< As a user would write it; empty for none.
  bool required = false;
  std::string bounds;   ///< "1 .. 64", "a, b or c"; empty for none.
  std::string help;     ///< One sentence.
  bool restart = true;  ///< A change needs a restart.
};

/// An option as it was read, for `config print`.
struct OptionReading {
  std::string name;
  std::string text;  ///< Dots for a secret.
  SettingOrigin origin;
};

namespace internal {

/// One option, bound to a member of the struct behind the pointer.
struct BoundOption {
  OptionInfo info;
  /// Parses, checks and stores; the message is what was expected and got.
  std::function<Status(const Setting&, void*)> store;
  /// The stored value as text.
  std::function<std::string(const void*)> print;
  /// The value as a number, for bounds; empty for types without.
  std::function<Result<int64_t>(const Setting&)> order;
};

/// Makes `option` refuse values outside; both bounds are text of its type.
void LimitOption(BoundOption& option, std::string_view minimum, std::string_view maximum);

}  // namespace internal

/// What all option tables have in common; a table is declared once, beside the code that it
/// configures.
class OptionTableBase {
 public:
  std::span<const internal::BoundOption> options() const { return options_; }

 protected:
  /// Overwrites what `sources` sets in `*target`; adds to `errors` and, unless null, to `readings`.
  void ReadInto(const OptionSources& sources, void* target, std::vector<Error>& errors,
                std::vector<OptionReading>* readings) const;

  std::vector<internal::BoundOption> options_;
};

/// The options of struct T, whose members have their defaults as initialisers:
///
///   OptionTable<HttpOptions> table;
///   table.Add("http.listen", &HttpOptions::listen, "Address and port to listen on.");
///   table.Add("http.body_max", &HttpOptions::body_max, "Largest request body.").Between("1 KiB",
///   "1 GiB"); table.AddChoice("durability", &HttpOptions::durability, {{"sync", kSync}, {"none",
///   kNone}}, "...");
///
/// Members are bool, integers, ByteSize, Duration, std::string, Secret or std::vector<std::string>.
/// Immutable once built.
template <typename T>
class OptionTable final : public OptionTableBase {
 public:
  /// Refines the option added last; misuse is a bug and aborts.
  class Added {
   public:
    explicit Added(internal::BoundOption& option) : option_(option) {}
    /// Inclusive bounds as text of the option's type.
    Added& Between(std::string_view minimum, std::string_view maximum);
    Added& Required() {
      option_.info.required = true;
      option_.info.default_text.clear();
      return *this;
    }
    Added& WithoutRestart() {
      option_.info.restart = false;
      return *this;
    }

   private:
    internal::BoundOption& option_;
  };

  template <typename M>
  Added Add(std::string name, M T::* member, std::string help);

  template <typename E>
  Added AddChoice(std::string name, E T::* member,
                  std::vector<std::pair<std::string_view, E>> choices, std::string help);

  /// Returns defaults overwritten by what `sources` sets. Errors are collected, not only the first.
  T Read(const OptionSources& sources, std::vector<Error>& errors,
         std::vector<OptionReading>* readings = nullptr) const {
    T target{};
    ReadInto(sources, &target, errors, readings);
    return target;
  }
};

/// Adds kConfigUnknownKey for each setting that none of `tables` declares, with the nearest name.
/// All settings of `sources` are looked at.
void RefuseUnknownOptions(const OptionSources& sources,
                          std::span<const OptionTableBase* const> tables,
                          std::vector<Error>& errors);

/// Appends a Markdown table of the options, for the generated reference.
void AppendOptionReference(std::string& out, const OptionTableBase& table);

}  // namespace millrace

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
