#include "millrace/cli/temporary_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/clock.h"
#include "millrace/base/option_sources.h"
#include "millrace/base/rng.h"

namespace millrace {

namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
constexpr std::string_view kListening = "\"url.full\":\"";
constexpr size_t kLogEndBytes = 4096;
constexpr int kSignalled = 128;  // Added to the signal's number, as shells do.

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

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
  pointers.reserve(texts.size());
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<std::unique_ptr<TemporaryServer>> TemporaryServer::Start(
    FileSystem& files, const std::string& parent, std::string_view sql,
    const std::vector<std::string>& arguments) {
  uint64_t tag = 0;
  FillRandomBytes(&tag, sizeof(tag));
  const std::string directory = JoinPath(parent, fmt::format("millrace-bench-{:016x}", tag));
  MR_TRY(files.CreateDirectories(directory));
  std::unique_ptr<TemporaryServer> server(new TemporaryServer(files, directory));
  MR_TRY(ReplaceFile(files, JoinPath(directory, "bench.sql"), sql));
  MR_TRY(server->Spawn(arguments));
  MR_TRY(server->AwaitListening());
  return server;
}

Status TemporaryServer::Spawn(std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Err(ErrorCode::kIoError, "cannot make a pipe");
  }
  log_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  const std::vector<std::string> own{"millrace",    "run",   directory_,           "--listen",
                                     "127.0.0.1:0", "--set", "logging.format=json"};
  arguments.insert(arguments.begin(), own.begin(), own.end());
  std::vector<std::string> environment;
  for (const std::string& variable : ProcessEnvironment()) {
    if (!variable.starts_with("MILLRACE_") && !variable.starts_with("CONFIG_PATH=")) {
      environment.push_back(variable);
    }
  }
  started_ = SystemClock().Monotonic();
  const int failed = posix_spawn(&child_, kThisProgram, &actions, nullptr,
                                 Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    child_ = -1;
    return Err(ErrorCode::kIoError, "cannot start a server");
  }
  // Only now: the child would inherit the mask.
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || stop_ < 0) {
    return Err(ErrorCode::kIoError, "cannot wait for signals");
  }
  signal_thread_ = Thread("mr-bench-signal", [this] { AwaitSignal(); });
  return {};
}

Status TemporaryServer::AwaitListening() {
  std::string log;
  std::array<char, 4096> buffer{};
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

Status TemporaryServer::Wait(int timeout_ms) {
  std::array<char, 4096> buffer{};
  pollfd log{.fd = log_, .events = POLLIN, .revents = 0};
  if (poll(&log, 1, timeout_ms) <= 0) {
    return {};
  }
  const ssize_t size = read(log_, buffer.data(), buffer.size());
  if (size <= 0) {
    return Err(ErrorCode::kServerUnreachable, "the server has ended: " + log_end_);
  }
  log_end_.append(buffer.data(), static_cast<size_t>(size));
  log_end_.erase(0, log_end_.size() - std::min(log_end_.size(), kLogEndBytes));
  return {};
}

void TemporaryServer::AwaitSignal() {
  std::array<pollfd, 2> waited{pollfd{.fd = signals_, .events = POLLIN, .revents = 0},
                               pollfd{.fd = stop_, .events = POLLIN, .revents = 0}};
  while (poll(waited.data(), waited.size(), -1) < 0) {
  }
  signalfd_siginfo signal{};
  if (waited[1].revents == 0 && read(signals_, &signal, sizeof(signal)) == sizeof(signal)) {
    CleanUp();
    _exit(kSignalled + static_cast<int>(signal.ssi_signo));
  }
}

void TemporaryServer::CleanUp() {
  if (child_ > 0) {
    kill(child_, SIGTERM);
    int status = 0;
    waitpid(child_, &status, 0);
  }
  RemoveTree(files_, directory_);
}

TemporaryServer::~TemporaryServer() {
  if (signal_thread_.joinable()) {
    eventfd_write(stop_, 1);
    signal_thread_.Join();
    const sigset_t signals = EndingSignals();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  }
  CleanUp();
  for (const int descriptor : {log_, signals_, stop_}) {
    if (descriptor >= 0) {
      close(descriptor);
    }
  }
}

}  // namespace millrace
