#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/base/source_location.h"

namespace millrace {

/// Where a value comes from; a later one wins over an earlier one.
struct SettingOrigin {
  enum class Kind : uint8_t { kDefault, kFile, kEnvironment, kFlag };

  Kind kind = Kind::kDefault;
  /// Of the option's name. For variables and flags the file is what ToString returns; empty for a
  /// default.
  SourceLocation location;

  /// "default", "millrace.yaml:7:3", "environment MILLRACE__HTTP__LISTEN", "flag --http.listen".
  std::string ToString() const;
};

/// One value as it was written.
struct Setting {
  std::string text;
  std::vector<std::string> items;  ///< Of a YAML sequence; then `text` joins them with commas.
  bool is_list = false;
  SettingOrigin origin;
};

/// An option of a WITH clause as it was written.
struct WithOption {
  std::string text;
  SourceLocation location;

  friend bool operator==(const WithOption&, const WithOption&) = default;
};
/// By lower-case name.
using WithOptionMap = std::map<std::string, WithOption, std::less<>>;

/// An option that the command line sets.
struct OptionFlag {
  std::string option;
  std::string value;
  std::string shown;  ///< What the user wrote, for messages: "--listen".
};

/// What users have set, by dotted lower-case name, from all places. Order of calls does not matter:
/// defaults < file < environment < flags; within one place the later wins. Only this class reads
/// the environment and YAML. Not thread-safe.
class OptionSources {
 public:
  /// Reads a YAML mapping; nested keys join with dots, a key without a value sets nothing. Errors:
  /// kConfigSyntax, also for a repeated key, kConfigInvalidValue for what is neither a scalar nor a
  /// list of scalars.
  void AddYaml(std::string_view text, const std::string& file, std::vector<ProjectError>& errors);
  /// Takes variables `MILLRACE__HTTP__LISTEN=value` as `http.listen`; others are left alone.
  void AddEnvironment(const std::vector<std::string>& variables);
  void AddFlag(const OptionFlag& flag);
  /// Takes the options of a WITH clause. What is missing is reported at `location`, its statement.
  void AddWith(const WithOptionMap& options, const SourceLocation& location);

  /// Null when nobody has set it.
  const Setting* Find(std::string_view name) const;
  const std::map<std::string, Setting, std::less<>>& settings() const { return settings_; }
  /// Keys of YAML files without a value: sections whose options are all left out, or unknown keys.
  const std::map<std::string, SettingOrigin, std::less<>>& empty_keys() const {
    return empty_keys_;
  }
  /// Where to report what is missing; empty when that is no one place.
  const SourceLocation& location() const { return location_; }

 private:
  void Put(std::string name, Setting setting);

  std::map<std::string, Setting, std::less<>> settings_;
  std::map<std::string, SettingOrigin, std::less<>> empty_keys_;
  SourceLocation location_;
};

/// All variables of the process, "NAME=value", for AddEnvironment.
std::vector<std::string> ProcessEnvironment();

/// Value of one environment variable of another program's convention, such as NO_COLOR; empty when
/// it is not set. Options come through OptionSources.
std::string EnvironmentVariable(const std::string& name);

}  // namespace millrace
