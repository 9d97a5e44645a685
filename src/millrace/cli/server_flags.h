#pragma once

#include <string>

#include "millrace/cli/http_client.h"

namespace CLI {
class App;
}

namespace millrace {

/// The flags --url and --token of commands that talk to a running server.
class ServerFlags {
 public:
  /// `this` outlives the parse.
  void AddTo(CLI::App& command);

  /// Flags first, then MILLRACE_URL and MILLRACE_TOKEN, then http://127.0.0.1:8080 and no token.
  ServerAddress Take() const;

 private:
  std::string url_;
  std::string token_;
};

}  // namespace millrace
