#include "millrace/base/option_sources.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace millrace {

namespace {

constexpr std::string_view kPrefix = "MILLRACE__";
/// Aliases of YAML can make a small file large and deep.
constexpr size_t kSettingsMax = 10'000;
constexpr size_t kDepthMax = 16;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return lower;
}

/// Flattens the tree of one YAML file.
class YamlReader {
 public:
  YamlReader(const std::string& file, std::vector<ProjectError>& errors)
      : file_(file), errors_(errors) {}

  void Read(const YAML::Node& root) {
    if (root.IsMap()) {
      ReadMap(root, "", 0);
    } else if (!root.IsNull()) {
      Refuse(ErrorCode::kConfigSyntax, root, "the file must be a mapping of keys to values");
    }
  }

  std::map<std::string, Setting>& settings() { return settings_; }
  std::map<std::string, SettingOrigin>& empty_keys() { return empty_keys_; }

 private:
  void ReadMap(const YAML::Node& map, const std::string& prefix, size_t depth) {
    for (const auto& entry : map) {
      if (depth > kDepthMax || settings_.size() > kSettingsMax) {
        return Refuse(ErrorCode::kConfigSyntax, map, "the file is nested too deep or too large");
      }
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) {
        Refuse(ErrorCode::kConfigSyntax, key, "a key is not a plain word");
        continue;
      }
      ReadValue(key, prefix + key.Scalar(), entry.second, depth);
    }
  }

  void ReadValue(const YAML::Node& key, const std::string& name, const YAML::Node& value,
                 size_t depth) {
    if (value.IsMap()) {
      return ReadMap(value, name + ".", depth + 1);
    }
    if (value.IsNull()) {
      empty_keys_.emplace(name, Origin(key));
      return;
    }
    Setting setting{.text = {}, .items = {}, .is_list = value.IsSequence(), .origin = Origin(key)};
    if (!setting.is_list) {
      setting.text = value.Scalar();
    }
    for (const YAML::Node& item : setting.is_list ? value : YAML::Node()) {
      if (!item.IsScalar()) {
        return Refuse(ErrorCode::kConfigInvalidValue, item,
                      fmt::format("{} may only list plain values", name));
      }
      setting.text += (setting.items.empty() ? "" : ", ") + item.Scalar();
      setting.items.push_back(item.Scalar());
    }
    if (!settings_.emplace(name, std::move(setting)).second) {
      Refuse(ErrorCode::kConfigSyntax, key, fmt::format("the key {} is given twice", name));
    }
  }

  SettingOrigin Origin(const YAML::Node& node) const {
    const YAML::Mark mark = node.Mark();
    return {.kind = SettingOrigin::Kind::kFile,
            .location = {.file = file_, .line = mark.line + 1, .column = mark.column + 1}};
  }

  void Refuse(ErrorCode code, const YAML::Node& node, const std::string& message) {
    errors_.push_back({Origin(node).location, Error(code, message)});
  }

  const std::string& file_;
  std::vector<ProjectError>& errors_;
  std::map<std::string, Setting> settings_;
  std::map<std::string, SettingOrigin> empty_keys_;
};

}  // namespace

std::string SettingOrigin::ToString() const {
  return kind == Kind::kDefault ? "default" : location.ToString();
}

void OptionSources::Put(std::string name, Setting setting) {
  const auto found = settings_.find(name);
  if (found == settings_.end()) {
    settings_.emplace(std::move(name), std::move(setting));
  } else if (found->second.origin.kind <= setting.origin.kind) {
    found->second = std::move(setting);
  }
}

void OptionSources::AddYaml(std::string_view text, const std::string& file,
                            std::vector<ProjectError>& errors) {
  try {
    YamlReader reader(file, errors);
    reader.Read(YAML::Load(std::string(text)));
    for (auto& [name, setting] : reader.settings()) {
      Put(name, std::move(setting));
    }
    empty_keys_.insert(reader.empty_keys().begin(), reader.empty_keys().end());
  } catch (const YAML::Exception& error) {
    errors.push_back({{.file = file, .line = error.mark.line + 1, .column = error.mark.column + 1},
                      Error(ErrorCode::kConfigSyntax, "the file is not valid YAML: " + error.msg)});
  }
}

void OptionSources::AddEnvironment(const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const size_t equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string::npos) {
      continue;
    }
    std::string name =
        Lower(std::string_view(variable).substr(kPrefix.size(), equals - kPrefix.size()));
    for (size_t at = name.find("__"); at != std::string::npos; at = name.find("__", at)) {
      name.replace(at, 2, ".");
    }
    Put(std::move(name),
        {.text = variable.substr(equals + 1),
         .items = {},
         .origin = {.kind = SettingOrigin::Kind::kEnvironment,
                    .location = {.file = "environment " + variable.substr(0, equals)}}});
  }
}

void OptionSources::AddFlag(const OptionFlag& flag) {
  Put(Lower(flag.option),
      {.text = flag.value,
       .items = {},
       .origin = {.kind = SettingOrigin::Kind::kFlag, .location = {.file = "flag " + flag.shown}}});
}

void OptionSources::AddWith(const WithOptionMap& options, const SourceLocation& location) {
  location_ = location;
  for (const auto& [name, option] : options) {
    Put(name, {.text = option.text,
               .items = {},
               .origin = {.kind = SettingOrigin::Kind::kFile, .location = option.location}});
  }
}

const Setting* OptionSources::Find(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

std::vector<std::string> ProcessEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

std::string EnvironmentVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace millrace
