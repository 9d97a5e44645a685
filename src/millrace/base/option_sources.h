#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace {

/// Where a value comes from; a later one wins over an earlier one.
struct SettingOrigin {
  enum class Kind : uint8_t { kDefault, kFile, kEnvironment, kFlag };

  Kind kind = Kind::kDefault;
  std::string where;  ///< "millrace.yaml:7", the variable, the flag; empty for a default.

  /// "default", "millrace.yaml:7", "environment MILLRACE__HTTP__LISTEN", "flag --http.listen".
  std::string ToString() const;
};

/// One value as it was written.
struct Setting {
  std::string text;
  std::vector<std::string> items;  ///< Of a YAML sequence; then `text` joins them with commas.
  bool is_list = false;
  SettingOrigin origin;
};

/// What users have set, by dotted lower-case name, from all places. Order of calls does not matter:
/// defaults < file < environment < flags; within one place the later wins. Only this class reads
/// the environment and YAML. Not thread-safe.
class OptionSources {
 public:
  /// Reads a YAML mapping; nested keys join with dots, a key without a value sets nothing. Sections
  /// named in `ignored` are left to others. Errors: kConfigSyntax with file:line,
  /// kConfigInvalidValue for what is neither a scalar nor a list of scalars.
  void AddYaml(std::string_view text, const std::string& file, std::vector<Error>& errors);
  /// Takes variables `MILLRACE__HTTP__LISTEN=value` as `http.listen`; others are left alone.
  void AddEnvironment(const std::vector<std::string>& variables);
  void AddProcessEnvironment();
  /// `name` as on the command line, without dashes.
  void AddFlag(std::string_view name, std::string value);
  /// Takes the options of a WITH clause; `where` is its file:line.
  void AddWith(const std::map<std::string, std::string>& options, const std::string& where);

  /// Null when nobody has set it.
  const Setting* Find(std::string_view name) const;
  const std::map<std::string, Setting, std::less<>>& settings() const { return settings_; }

 private:
  void Put(std::string name, Setting setting);

  std::map<std::string, Setting, std::less<>> settings_;
};

/// Value of one environment variable of another program's convention, such as NO_COLOR; empty when
/// it is not set. Options come through OptionSources.
std::string EnvironmentVariable(const std::string& name);

}  // namespace millrace
