#include "millrace/cli/temporary_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/option_sources.h"
#include "millrace/base/rng.h"

namespace millrace {

namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
constexpr std::string_view kListening = "\"url.full\":\"";

/// Removes a directory that only this program has written to.
void RemoveTree(FileSystem& files, const std::string& path) {
  const auto entries = files.List(path);
  if (!entries) {
    return;
  }
  for (const DirectoryEntry& entry : *entries) {
    const std::string inside = JoinPath(path, entry.name);
    if (entry.is_directory) {
      RemoveTree(files, inside);
    } else {
      (void)files.RemoveFile(inside);
    }
  }
  (void)files.RemoveDirectory(path);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<std::unique_ptr<TemporaryServer>> TemporaryServer::Start(FileSystem& files,
                                                                const std::string& parent,
                                                                std::string_view sql) {
  uint64_t tag = 0;
  FillRandomBytes(&tag, sizeof(tag));
  const std::string directory = JoinPath(parent, fmt::format("millrace-bench-{:016x}", tag));
  MR_TRY(files.CreateDirectories(directory));
  std::unique_ptr<TemporaryServer> server(new TemporaryServer(files, directory));
  MR_TRY(ReplaceFile(files, JoinPath(directory, "bench.sql"), sql));
  MR_TRY(server->Spawn());
  MR_TRY(server->AwaitListening());
  return server;
}

Status TemporaryServer::Spawn() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Err(ErrorCode::kIoError, "cannot make a pipe");
  }
  log_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<std::string> arguments{"millrace",    "run",   directory_,           "--listen",
                                     "127.0.0.1:0", "--set", "logging.format=json"};
  std::vector<std::string> environment;
  for (const std::string& variable : ProcessEnvironment()) {
    if (!variable.starts_with("MILLRACE_") && !variable.starts_with("CONFIG_PATH=")) {
      environment.push_back(variable);
    }
  }
  const int failed = posix_spawn(&child_, kThisProgram, &actions, nullptr,
                                 Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    child_ = -1;
    return Err(ErrorCode::kIoError, "cannot start a server");
  }
  return {};
}

Status TemporaryServer::AwaitListening() {
  std::string log;
  std::array<char, 4096> buffer;
  while (true) {
    const size_t at = log.find(kListening);
    const size_t end = at == std::string::npos ? at : log.find('"', at + kListening.size());
    if (end != std::string::npos) {
      url_ = log.substr(at + kListening.size(), end - at - kListening.size());
      return {};
    }
    const ssize_t size = read(log_, buffer.data(), buffer.size());
    if (size <= 0) {
      return Err(ErrorCode::kServerUnreachable, "the server did not start: " + log);
    }
    log.append(buffer.data(), static_cast<size_t>(size));
  }
}

TemporaryServer::~TemporaryServer() {
  if (child_ > 0) {
    kill(child_, SIGTERM);
    int status = 0;
    waitpid(child_, &status, 0);
  }
  if (log_ >= 0) {
    close(log_);
  }
  RemoveTree(files_, directory_);
}

}  // namespace millrace
