#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/option_codec.h"
#include "millrace/base/option_sources.h"
#include "millrace/base/option_values.h"
#include "millrace/base/result.h"
#include "millrace/base/source_location.h"

namespace millrace {

/// What the reference, `config print` and messages say about an option.
struct OptionInfo {
  std::string name;          ///< Dotted and lower case: http.listen. WITH options have no dots.
  std::string_view type;     ///< boolean, integer, bytes, duration, text, list, secret, choice, ...
  std::string default_text;  ///< As a user would write it; empty for none.
  bool required = false;
  std::string bounds;  ///< "1 .. 64", "a, b or c"; empty for none.
  std::string help;    ///< One sentence.
  std::string
      only_for;  ///< The setting without which it is not used, "transport: kafka"; or empty.
};

/// An option as it was read, for `config print`.
struct OptionReading {
  std::string name;
  std::string text;  ///< Dots for a secret.
  SettingOrigin origin;
  std::string only_for;  ///< As in OptionInfo.
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
  void ReadInto(const OptionSources& sources, void* target, std::vector<ProjectError>& errors,
                std::vector<OptionReading>* readings) const;

  std::vector<internal::BoundOption> options_;
};

/// The options of struct T, whose members have their defaults as initialisers:
///
///   OptionTable<HttpOptions> table;
///   table.Add("http.listen", &HttpOptions::listen, "Address and port to listen on.");
///   table.AddBytes("http.body_max", [](auto& o) -> auto& { return o.body.bytes_max; },
///                  "Largest request body.").Between("1 KiB", "1 GiB");
///   table.AddChoice("durability", &HttpOptions::durability,
///                   {{"sync", kSync}, {"none", kNone}}, "When a write counts.");
///
/// A place is a pointer to a member or a function from T& (const or not) to a reference. Types are
/// those of option_codec.h. Immutable once built; then safe from any thread.
template <typename T>
class OptionTable final : public OptionTableBase {
  template <typename Place>
  using MemberAt = std::remove_cvref_t<std::invoke_result_t<Place, T&>>;
  template <typename Place>
  using Choices = std::vector<std::pair<std::string_view, MemberAt<Place>>>;

 public:
  /// Refines the option added last; misuse is a bug and aborts.
  class Added {
   public:
    explicit Added(internal::BoundOption& option) : option_(option) {}
    /// Inclusive bounds as text of the option's type.
    Added& Between(std::string_view minimum, std::string_view maximum) {
      internal::LimitOption(option_, minimum, maximum);
      return *this;
    }
    Added& Required() {
      option_.info.required = true;
      option_.info.default_text.clear();
      return *this;
    }
    /// Says without which other setting the option is read and checked, but not used.
    Added& OnlyFor(std::string_view setting) {
      option_.info.only_for = setting;
      return *this;
    }
    /// Refuses more: `check` sees the struct after the value was stored. Its error is reported at
    /// the option.
    Added& Check(std::function<Status(const T&)> check) {
      option_.store = [store = std::move(option_.store), check = std::move(check)](
                          const Setting& setting, void* target) -> Status {
        MR_TRY(store(setting, target));
        return check(*static_cast<const T*>(target));
      };
      return *this;
    }

   private:
    internal::BoundOption& option_;
  };

  template <typename Place>
  Added Add(std::string_view name, Place place, std::string_view help) {
    return AddAs<OptionCodec<MemberAt<Place>>>(name, place, help);
  }

  /// For a member that is a plain integer and holds a number of bytes.
  template <typename Place>
  Added AddBytes(std::string_view name, Place place, std::string_view help) {
    return AddAs<ByteCountCodec<MemberAt<Place>>>(name, place, help);
  }

  /// For a member of any type with few values that have names.
  template <typename Place>
  Added AddChoice(std::string_view name, Place place, Choices<Place> choices,
                  std::string_view help);

  /// Returns defaults overwritten by what `sources` sets. Errors are collected, not only the first:
  /// kConfigInvalidValue, kConfigMissingValue.
  T Read(const OptionSources& sources, std::vector<ProjectError>& errors,
         std::vector<OptionReading>* readings = nullptr) const {
    T target{};
    ReadInto(sources, &target, errors, readings);
    return target;
  }

 private:
  template <typename Codec, typename Place>
  Added AddAs(std::string_view name, Place place, std::string_view help);
};

/// Adds kConfigUnknownKey for each setting that none of `tables` declares, with the nearest name as
/// hint. All settings of `sources` are looked at.
void RefuseUnknownOptions(const OptionSources& sources,
                          std::span<const OptionTableBase* const> tables,
                          std::vector<ProjectError>& errors);

/// Appends a Markdown table of the options, for the generated reference.
void AppendOptionReference(std::string& out, const OptionTableBase& table);

template <typename T>
template <typename Codec, typename Place>
typename OptionTable<T>::Added OptionTable<T>::AddAs(std::string_view name, Place place,
                                                     std::string_view help) {
  const T defaults{};
  internal::BoundOption option;
  option.info = {.name = std::string(name),
                 .type = Codec::kType,
                 .default_text = Codec::Print(std::invoke(place, defaults)),
                 .bounds = {},
                 .help = std::string(help)};
  option.store = [place](const Setting& setting, void* target) -> Status {
    MR_ASSIGN(std::invoke(place, *static_cast<T*>(target)), Codec::Parse(setting));
    return {};
  };
  option.print = [place](const void* target) {
    return Codec::Print(std::invoke(place, *static_cast<const T*>(target)));
  };
  if constexpr (requires(MemberAt<Place> value) { Codec::Order(value); }) {
    option.order = [](const Setting& setting) -> Result<int64_t> {
      MR_ASSIGN(const auto value, Codec::Parse(setting));
      return Codec::Order(value);
    };
  }
  options_.push_back(std::move(option));
  return Added(options_.back());
}

template <typename T>
template <typename Place>
typename OptionTable<T>::Added OptionTable<T>::AddChoice(std::string_view name, Place place,
                                                         Choices<Place> choices,
                                                         std::string_view help) {
  internal::BoundOption option;
  std::string names;
  for (const auto& choice : choices) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", choice.first);
  }
  option.print = [place, choices](const void* target) {
    for (const auto& [choice, value] : choices) {
      if (value == std::invoke(place, *static_cast<const T*>(target))) {
        return std::string(choice);
      }
    }
    return std::string();
  };
  const T defaults{};
  option.info = {.name = std::string(name),
                 .type = "choice",
                 .default_text = option.print(&defaults),
                 .bounds = names,
                 .help = std::string(help)};
  option.store = [place, choices = std::move(choices), names](const Setting& setting,
                                                              void* target) -> Status {
    for (const auto& [choice, value] : choices) {
      if (choice == setting.text) {
        std::invoke(place, *static_cast<T*>(target)) = value;
        return {};
      }
    }
    return Err(ErrorCode::kConfigInvalidValue,
               fmt::format("expected one of {}, got '{}'", names, setting.text));
  };
  options_.push_back(std::move(option));
  return Added(options_.back());
}

}  // namespace millrace
