#include "millrace/cli/server_flags.h"

#include <CLI/CLI.hpp>

#include "millrace/base/option_sources.h"

namespace millrace {

namespace {

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8080";

std::string FirstOf(const std::string& flag, const std::string& variable,
                    std::string_view otherwise) {
  const std::string set = flag.empty() ? EnvironmentVariable(variable) : flag;
  return set.empty() ? std::string(otherwise) : set;
}

}  // namespace

void ServerFlags::AddTo(CLI::App& command) {
  command.add_option("--url", url_,
                     "Where the server is (default: MILLRACE_URL, else http://127.0.0.1:8080)");
  command.add_option("--token", token_, "Bearer token (default: MILLRACE_TOKEN)");
}

ServerAddress ServerFlags::Take() const {
  std::string url = FirstOf(url_, "MILLRACE_URL", kDefaultUrl);
  if (url.find("://") == std::string::npos) {
    url = "http://" + url;
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return {.url = std::move(url), .token = FirstOf(token_, "MILLRACE_TOKEN", "")};
}

}  // namespace millrace
