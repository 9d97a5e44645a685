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
                               std::vector<Error>& errors,
                               std::vector<OptionReading>* readings) const {
  for (const internal::BoundOption& option : options_) {
    const Setting* setting = sources.Find(option.info.name);
    if (setting != nullptr) {
      if (const Status stored = option.store(*setting, target); !stored) {
        errors.push_back(
            stored.error().WithContext(option.info.name).WithContext(setting->origin.ToString()));
      }
    } else if (option.info.required) {
      errors.emplace_back(ErrorCode::kConfigMissingValue,
                          fmt::format("option {} must be set", option.info.name));
    }
    if (readings != nullptr) {
      readings->push_back({.name = option.info.name,
                           .text = option.print(target),
                           .origin = setting == nullptr ? SettingOrigin{} : setting->origin});
    }
  }
}

void RefuseUnknownOptions(const OptionSources& sources,
                          std::span<const OptionTableBase* const> tables,
                          std::vector<Error>& errors) {
  std::vector<std::string_view> names;
  for (const OptionTableBase* table : tables) {
    for (const internal::BoundOption& option : table->options()) {
      names.emplace_back(option.info.name);
    }
  }
  for (const auto& [name, setting] : sources.settings()) {
    if (std::ranges::find(names, name) == names.end()) {
      const std::string nearest = NearestName(name, names);
      const std::string hint = nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest);
      errors.push_back(
          Error(ErrorCode::kConfigUnknownKey, fmt::format("unknown option '{}'{}", name, hint))
              .WithContext(setting.origin.ToString()));
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
    out +=
        fmt::format("| `{}` | {} | {} | {} | {}{} |\n", info.name, info.type, fallback, info.bounds,
                    info.help, info.restart ? "" : " Takes effect without a restart.");
  }
}

}  // namespace millrace
