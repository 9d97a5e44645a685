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
  YamlReader(const std::string& file, std::vector<Error>& errors) : file_(file), errors_(errors) {}

  void Read(const YAML::Node& node, const std::string& name, size_t depth) {
    if (depth > kDepthMax || settings_.size() > kSettingsMax) {
      return Refuse(ErrorCode::kConfigSyntax, node, "the file is nested too deep or too large");
    }
    if (node.IsMap()) {
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) {
          Refuse(ErrorCode::kConfigSyntax, entry.first, "a key is not a plain word");
          continue;
        }
        const std::string key = entry.first.Scalar();
        Read(entry.second, name.empty() ? key : name + "." + key, depth + 1);
      }
      return;
    }
    if (name.empty() && !node.IsNull()) {
      return Refuse(ErrorCode::kConfigSyntax, node, "the file must be a mapping of keys to values");
    }
    if (node.IsSequence()) {
      return ReadList(node, name);
    }
    if (node.IsScalar()) {
      settings_.emplace_back(name,
                             Setting{.text = node.Scalar(), .items = {}, .origin = Origin(node)});
    }
  }

  std::vector<std::pair<std::string, Setting>>& settings() { return settings_; }

 private:
  SettingOrigin Origin(const YAML::Node& node) const {
    return {.kind = SettingOrigin::Kind::kFile,
            .where = fmt::format("{}:{}", file_, node.Mark().line + 1)};
  }

  void ReadList(const YAML::Node& node, const std::string& name) {
    Setting setting{.text = {}, .items = {}, .is_list = true, .origin = Origin(node)};
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) {
        return Refuse(ErrorCode::kConfigInvalidValue, item,
                      fmt::format("{} may only list plain values", name));
      }
      setting.text += (setting.items.empty() ? "" : ", ") + item.Scalar();
      setting.items.push_back(item.Scalar());
    }
    settings_.emplace_back(name, std::move(setting));
  }

  void Refuse(ErrorCode code, const YAML::Node& node, const std::string& message) {
    errors_.push_back(Error(code, message).WithContext(Origin(node).where));
  }

  const std::string& file_;
  std::vector<Error>& errors_;
  std::vector<std::pair<std::string, Setting>> settings_;
};

}  // namespace

std::string SettingOrigin::ToString() const {
  switch (kind) {
    case Kind::kDefault:
      return "default";
    case Kind::kFile:
      return where;
    case Kind::kEnvironment:
      return "environment " + where;
    case Kind::kFlag:
      return "flag " + where;
  }
  return where;
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
                            std::vector<Error>& errors) {
  try {
    YamlReader reader(file, errors);
    reader.Read(YAML::Load(std::string(text)), "", 0);
    for (auto& [name, setting] : reader.settings()) {
      Put(std::move(name), std::move(setting));
    }
  } catch (const YAML::Exception& error) {
    errors.push_back(Error(ErrorCode::kConfigSyntax, "the file is not valid YAML: " + error.msg)
                         .WithContext(fmt::format("{}:{}", file, error.mark.line + 1)));
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
    Put(std::move(name), {.text = variable.substr(equals + 1),
                          .items = {},
                          .origin = {.kind = SettingOrigin::Kind::kEnvironment,
                                     .where = variable.substr(0, equals)}});
  }
}

void OptionSources::AddProcessEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  AddEnvironment(variables);
}

void OptionSources::AddFlag(std::string_view name, std::string value) {
  Put(Lower(name),
      {.text = std::move(value),
       .items = {},
       .origin = {.kind = SettingOrigin::Kind::kFlag, .where = fmt::format("--{}", name)}});
}

void OptionSources::AddWith(const std::map<std::string, std::string>& options,
                            const std::string& where) {
  for (const auto& [name, value] : options) {
    Put(Lower(name), {.text = value,
                      .items = {},
                      .origin = {.kind = SettingOrigin::Kind::kFile, .where = where}});
  }
}

const Setting* OptionSources::Find(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

std::string EnvironmentVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace millrace
