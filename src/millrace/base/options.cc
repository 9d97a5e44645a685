#include "millrace/base/options.h"

#include <algorithm>

#include "millrace/base/check.h"
#include "millrace/base/nearest_name.h"

namespace millrace {

namespace internal {

void LimitOption(BoundOption& option, std::string_view minimum, std::string_view maximum) {
  MR_CHECK(option.order != nullptr, "option {} has no order", option.info.name);
  const auto number = [&](std::string_view text) {
    Setting setting;
    setting.text = text;
    const auto value = option.order(setting);
    MR_CHECK(value.has_value(), "bound {} of option {}", text, option.info.name);
    return *value;
  };
  option.info.bounds = fmt::format("{} .. {}", minimum, maximum);
  option.store = [store = option.store, order = option.order, low = number(minimum),
                  high = number(maximum),
                  bounds = option.info.bounds](const Setting& setting, void* target) -> Status {
    MR_ASSIGN(const int64_t value, order(setting));
    if (value < low || value > high) {
      return Err(ErrorCode::kConfigInvalidValue,
                 fmt::format("expected {}, got '{}'", bounds, setting.text));
    }
    return store(setting, target);
  };
}

}  // namespace internal

void OptionTableBase::ReadInto(const OptionSources& sources, void* target,
                               std::vector<ProjectError>& errors,
                               std::vector<OptionReading>* readings) const {
  for (const internal::BoundOption& option : options_) {
    const Setting* setting = sources.Find(option.info.name);
    if (setting != nullptr) {
      if (const Status stored = option.store(*setting, target); !stored) {
        errors.push_back({setting->origin.location, stored.error().WithContext(option.info.name)});
      }
    } else if (option.info.required) {
      errors.push_back(
          {sources.location(), Error(ErrorCode::kConfigMissingValue,
                                     fmt::format("option {} must be set", option.info.name))});
    }
    if (readings != nullptr) {
      readings->push_back({.name = option.info.name,
                           .text = option.print(target),
                           .origin = setting == nullptr ? SettingOrigin{} : setting->origin,
                           .only_for = option.info.only_for});
    }
  }
}

namespace {

/// Names of all options of some tables, and of the sections they stand in.
class KnownNames {
 public:
  explicit KnownNames(std::span<const OptionTableBase* const> tables) {
    for (const OptionTableBase* table : tables) {
      for (const internal::BoundOption& option : table->options()) {
        names_.emplace_back(option.info.name);
      }
    }
  }

  bool HasOption(std::string_view name) const {
    return std::ranges::find(names_, name) != names_.end();
  }

  /// Names of the options in a section, "a.b, a.c"; empty when there is none.
  std::string InSection(std::string_view section) const {
    std::string found;
    for (const std::string_view name : names_) {
      if (name.starts_with(section) && name.substr(section.size()).starts_with('.')) {
        found += fmt::format("{}{}", found.empty() ? "" : ", ", name);
      }
    }
    return found;
  }

  ProjectError Refuse(const std::string& name, const SettingOrigin& origin) const {
    const Error error(ErrorCode::kConfigUnknownKey, fmt::format("unknown option '{}'", name));
    if (const std::string inside = InSection(name); !inside.empty()) {
      return {origin.location, Error(ErrorCode::kConfigUnknownKey,
                                     fmt::format("'{}' is a section, not an option", name))
                                   .WithHint("its options are " + inside)};
    }
    const std::string nearest = NearestName(name, names_);
    return {origin.location,
            nearest.empty() ? error : error.WithHint(fmt::format("did you mean '{}'?", nearest))};
  }

 private:
  std::vector<std::string_view> names_;
};

}  // namespace

void RefuseUnknownOptions(const OptionSources& sources,
                          std::span<const OptionTableBase* const> tables,
                          std::vector<ProjectError>& errors) {
  const KnownNames known(tables);
  for (const auto& [name, setting] : sources.settings()) {
    if (!known.HasOption(name)) {
      errors.push_back(known.Refuse(name, setting.origin));
    }
  }
  for (const auto& [name, origin] : sources.empty_keys()) {
    if (!known.HasOption(name) && known.InSection(name).empty()) {
      errors.push_back(known.Refuse(name, origin));
    }
  }
}

void AppendOptionReference(std::string& out, const OptionTableBase& table) {
  out += "| option | type | default | values | meaning |\n|---|---|---|---|---|\n";
  for (const internal::BoundOption& option : table.options()) {
    const OptionInfo& info = option.info;
    const std::string fallback = info.required ? "required"
                                 : info.default_text.empty()
                                     ? ""
                                     : fmt::format("`{}`", info.default_text);
    const std::string unused =
        info.only_for.empty() ? "" : fmt::format(" Only used with `{}`.", info.only_for);
    out += fmt::format("| `{}` | {} | {} | {} | {}{} |\n", info.name, info.type, fallback,
                       info.bounds, info.help, unused);
  }
}

}  // namespace millrace
