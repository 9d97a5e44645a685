#include <unistd.h>

#include <iostream>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "millrace/cli/command_line.h"
#include "millrace/cli/server_flags.h"
#include "millrace/cli/sql_result.h"
#include "millrace/cli/sql_splitter.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"

namespace millrace {

namespace {

struct SqlFlags {
  ServerFlags server;
  std::vector<std::string> commands;
  std::string format = "table";
  std::string wait_for;
  std::string timeout;
  int64_t limit = 0;
};

SqlFormat FormatOf(const SqlFlags& flags) {
  return flags.format == "csv"    ? SqlFormat::kCsv
         : flags.format == "json" ? SqlFormat::kJson
                                  : SqlFormat::kTable;
}

/// Runs one statement and prints its answer or its error; returns whether it has succeeded.
bool RunStatement(const SqlFlags& flags, HttpClient& client, const std::string& sql) {
  boost::json::object request{{"sql", sql}};
  if (!flags.wait_for.empty()) {
    request["wait_for"] = flags.wait_for;
  }
  if (!flags.timeout.empty()) {
    request["timeout"] = flags.timeout;
  }
  if (flags.limit > 0) {
    request["limit"] = flags.limit;
  }
  auto answer = client.PostJson("/api/v1/query", boost::json::serialize(request));
  auto text = answer ? FormatSqlAnswer(*answer, FormatOf(flags)) : Err(answer.error());
  if (!text) {
    std::string shown = FormatSqlError(text.error(), sql);
    shown.pop_back();
    terminal::Note(shown);
    return false;
  }
  terminal::Text(*text);
  terminal::Flush();
  return true;
}

/// Statements from standard input, each run once its semicolon has come. At a terminal an error is
/// no reason to stop.
int RunInput(const SqlFlags& flags, HttpClient& client) {
  const bool is_interactive = isatty(STDIN_FILENO) != 0;
  const auto prompt = [&](std::string_view text) {
    if (is_interactive) {
      terminal::Prompt(text);
    }
  };
  SqlSplitter splitter;
  bool is_whole = true;
  std::string line;
  for (prompt("millrace> "); std::getline(std::cin, line);) {
    if (is_whole && (line == "\\q" || line == "quit" || line == "exit")) {
      return 0;
    }
    splitter.Add(line + "\n");
    is_whole = false;
    while (const auto statement = splitter.Next()) {
      is_whole = true;
      if (!RunStatement(flags, client, *statement) && !is_interactive) {
        return kExitFailure;
      }
    }
    prompt(is_whole ? "millrace> " : "       -> ");
  }
  const std::string rest = splitter.Rest();
  return rest.empty() || RunStatement(flags, client, rest) ? 0 : kExitFailure;
}

int RunSql(const SqlFlags& flags) {
  HttpClient client(flags.server.Take());
  for (const std::string& command : flags.commands) {
    SqlSplitter splitter;
    splitter.Add(command);
    while (const auto statement = splitter.Next()) {
      if (!RunStatement(flags, client, *statement)) {
        return kExitFailure;
      }
    }
    // Also one whose quote does not end: the server says where.
    if (const std::string rest = splitter.Rest();
        !rest.empty() && !RunStatement(flags, client, rest)) {
      return kExitFailure;
    }
  }
  return flags.commands.empty() ? RunInput(flags, client) : 0;
}

}  // namespace

void AddSqlCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* sql = app.add_subcommand("sql", "Ask a running server in SQL");
  const auto flags = std::make_shared<SqlFlags>();
  sql->add_option("-c,--command", flags->commands,
                  "Statements, separated by semicolons; without, they are read from standard input")
      ->allow_extra_args(false);
  sql->add_option("--format", flags->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  sql->add_option("--limit", flags->limit, "Rows of an answer, at most")
      ->check(CLI::Range(1, 1'000'000'000));
  sql->add_option("--timeout", flags->timeout, "Time for each statement, such as '10 s'");
  sql->add_option("--wait-for", flags->wait_for,
                  "A position that the rows must include, as an answer to records names it");
  flags->server.AddTo(*sql);
  sql->footer(
      "SELECT, EXPLAIN and EXPLAIN ANALYZE over tables, views and materialized views; nothing is "
      "changed.\n"
      "\\q ends an interactive session.\n\n"
      "Examples:\n"
      "  millrace sql -c 'SELECT city, revenue FROM revenue_per_city ORDER BY revenue DESC'\n"
      "  millrace sql --format csv < report.sql > report.csv\n"
      "  millrace sql\n");
  sql->callback([flags, &chosen] { chosen = [flags] { return RunSql(*flags); }; });
}

}  // namespace millrace
