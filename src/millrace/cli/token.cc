#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/cli/command_line.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"
#include "millrace/serve/auth_options.h"

namespace millrace {

namespace {

struct TokenOptions {
  std::string name;
  std::string scopes = "read+write";
};

int MakeToken(const TokenOptions& options) {
  const std::string token = serve::GenerateToken();
  const std::string item =
      fmt::format("{} {} {}", options.name, options.scopes, serve::HashToken(token));
  if (!serve::ParseTokenEntry(item)) {
    return terminal::Fail(Error(ErrorCode::kConfigInvalidValue,
                                fmt::format("a token cannot have the name '{}' and --scopes {}",
                                            options.name, options.scopes))
                              .WithHint("a name is one word; scopes are read, write and admin, "
                                        "joined by +, such as read+write"));
  }
  terminal::Result(token);
  terminal::Line(fmt::format(
      "\nThis is shown only once. In millrace.yaml:\n\nauth:\n  tokens:\n    - {}", item));
  return 0;
}

}  // namespace

void AddTokenCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* command =
      app.add_subcommand("token", "Make a bearer token and its line of configuration");
  const auto options = std::make_shared<TokenOptions>();
  command->add_option("NAME", options->name, "Who will have it")->required();
  command->add_option("--scopes", options->scopes, "read, write, admin, joined by +")
      ->capture_default_str();
  command->footer(
      "The token goes to standard output, what to configure to standard error.\n\n"
      "Example:\n"
      "  millrace token collector --scopes write\n");
  command->callback([options, &chosen] { chosen = [options] { return MakeToken(*options); }; });
}

}  // namespace millrace
