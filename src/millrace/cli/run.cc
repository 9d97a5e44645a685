#include <CLI/CLI.hpp>

#include "millrace/cli/project_flags.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

void AddRunCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen) {
  CLI::App* run = app.add_subcommand("run", "Run a project until Ctrl-C");
  const auto flags = std::make_shared<ProjectFlags>();
  flags->AddTo(*run);
  flags->AddShortcut(*run, "--data-dir", "data_dir", "Directory of everything durable");
  flags->AddShortcut(*run, "--listen", "http.listen", "Address and port of the HTTP API");
  flags->AddShortcut(*run, "--workers", "engine.workers", "Threads that run pipelines");
  flags->AddChangeFlags(*run);
  run->footer(
      "A view whose query has changed is rebuilt; `millrace check` says so beforehand.\n"
      "Ctrl-C or SIGTERM ends the running epochs and stops; a second one ends at once.\n\n"
      "Examples:\n"
      "  millrace run examples/clicks\n"
      "  millrace run . --data-dir /var/lib/millrace --listen 127.0.0.1:9000\n"
      "  millrace run . --set logging.level=debug --set engine.workers=2\n"
      "  millrace run . --prune\n"
      "  CONFIG_PATH=/etc/millrace/millrace.yaml millrace run\n");
  run->callback([flags, &commands, &chosen] {
    chosen = [flags, &commands] { return commands.run(flags->Take()); };
  });
}

}  // namespace millrace
