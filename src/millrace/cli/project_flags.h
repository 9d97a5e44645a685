#pragma once

#include <memory>

#include "millrace/cli/command_line.h"

namespace CLI {
class App;
}

namespace millrace {

/// The arguments of the commands that read a project: DIR and --set. Written by the parse, read by
/// Take afterwards.
class ProjectFlags {
 public:
  /// `this` outlives the parse.
  void AddTo(CLI::App& command);
  /// Adds a flag that sets one option, "--listen" for http.listen.
  void AddShortcut(CLI::App& command, const std::string& flag, const std::string& option,
                   const std::string& help);

  /// Adds --prune, --accept-partial-history and --rebuild-sinks: what a start may do to the data
  /// directory.
  void AddChangeFlags(CLI::App& command);

  ProjectSelection Take() const;

 private:
  struct Shortcut {
    std::string flag;
    std::string option;
    std::string value;
  };

  std::string directory_;
  bool prune_ = false;
  bool accept_partial_history_ = false;
  bool rebuild_sinks_ = false;
  std::vector<std::string> settings_;
  std::vector<std::unique_ptr<Shortcut>> shortcuts_;
};

}  // namespace millrace
