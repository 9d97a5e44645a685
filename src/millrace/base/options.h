#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

#include "millrace/base/options_binding.h"
