#include "millrace/cli/project_flags.h"

#include <CLI/CLI.hpp>

namespace millrace {

namespace {

std::string CheckSetting(const std::string& text) {
  return text.find('=') == std::string::npos || text.starts_with('=')
             ? "expected NAME=VALUE, got '" + text + "'"
             : std::string();
}

}  // namespace

void ProjectFlags::AddTo(CLI::App& command) {
  command.add_option("DIR", directory_,
                     "Project directory: millrace.yaml and *.sql (default: the file that "
                     "CONFIG_PATH names, else the working directory)");
  command.add_option("--set", settings_, "Sets an option of millrace.yaml, may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(CheckSetting);
}

void ProjectFlags::AddShortcut(CLI::App& command, const std::string& flag,
                               const std::string& option, const std::string& help) {
  shortcuts_.push_back(std::make_unique<Shortcut>(Shortcut{flag, option, {}}));
  command.add_option(flag, shortcuts_.back()->value, help + " (" + option + ")");
}

void ProjectFlags::AddChangeFlags(CLI::App& command) {
  command.add_flag("--prune", prune_,
                   "Drop the data of tables and views that the project no longer defines");
  command.add_flag("--accept-partial-history", accept_partial_history_,
                   "Rebuild changed views also where their inputs no longer have all records");
  command.add_flag("--rebuild-sinks", rebuild_sinks_,
                   "Begin the sinks of rebuilt views anew; their targets must be empty");
}

ProjectSelection ProjectFlags::Take() const {
  ProjectSelection selection{.directory = directory_,
                             .flags = {},
                             .prune = prune_,
                             .accept_partial_history = accept_partial_history_,
                             .rebuild_sinks = rebuild_sinks_};
  for (const auto& shortcut : shortcuts_) {
    if (!shortcut->value.empty()) {
      selection.flags.push_back({shortcut->option, shortcut->value, shortcut->flag});
    }
  }
  for (const std::string& setting : settings_) {
    const size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    selection.flags.push_back({name, setting.substr(equals + 1), "--set " + name});
  }
  return selection;
}

}  // namespace millrace
