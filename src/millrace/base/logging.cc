#include "millrace/base/logging.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <ctime>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "millrace/base/mutex.h"
#include "millrace/base/utf8.h"

namespace millrace {

namespace {

constexpr size_t kLineBytesMax = 16 * 1024;
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::string_view kEcsVersion = "8.11";

std::atomic<LogSink*> installed_sink{nullptr};

std::string_view LevelName(LogLevel level) {
  constexpr std::array<std::string_view, 5> kNames = {"debug", "info", "warn", "error", "off"};
  return kNames[static_cast<size_t>(level)];
}

std::string TimeText(Micros wall) {
  constexpr Micros kMicrosPerSecond = 1'000'000;
  const Micros micros = ((wall % kMicrosPerSecond) + kMicrosPerSecond) % kMicrosPerSecond;
  const auto seconds = static_cast<time_t>((wall - micros) / kMicrosPerSecond);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, micros);
}

/// Bytes below space are escaped, so that no value can start a line of its own; U+FFFD stands for
/// bytes that are no UTF-8.
void AppendJsonText(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    const char c = text.front();
    if (length == 0) {
      out += "\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (length == 1 && static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

void AppendFieldValue(std::string& out, const LogField::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    AppendJsonText(out, *text);
  } else if (const auto* real = std::get_if<double>(&value);
             real != nullptr && !std::isfinite(*real)) {
    fmt::format_to(std::back_inserter(out), "\"{}\"", *real);
  } else {
    std::visit(
        [&](const auto& number) {
          if constexpr (!std::same_as<std::decay_t<decltype(number)>, std::string_view>) {
            fmt::format_to(std::back_inserter(out), "{}", number);
          }
        },
        value);
  }
}

void AppendJsonLine(std::string& out, Micros wall, LogLevel level, std::string_view logger,
                    std::string_view message, std::initializer_list<LogField> fields) {
  fmt::format_to(std::back_inserter(out), R"({{"@timestamp":"{}","log.level":"{}","message":)",
                 TimeText(wall), LevelName(level));
  AppendJsonText(out, message);
  fmt::format_to(std::back_inserter(out), R"(,"ecs.version":"{}","log.logger":"millrace.{}")",
                 kEcsVersion, logger);
  for (const LogField& field : fields) {
    const size_t before = out.size();
    out += ',';
    AppendJsonText(out, field.key);
    out += ':';
    AppendFieldValue(out, field.value);
    if (out.size() > kLineBytesMax) {
      out.resize(before);
      out += R"(,"log.truncated":true)";
      break;
    }
  }
  out += '}';
}

void AppendTextLine(std::string& out, Micros wall, LogLevel level, std::string_view logger,
                    std::string_view message, std::initializer_list<LogField> fields) {
  fmt::format_to(std::back_inserter(out), "{} {:5} {}: {}", TimeText(wall), LevelName(level),
                 logger, message);
  for (const LogField& field : fields) {
    fmt::format_to(std::back_inserter(out), " {}=", field.key);
    AppendFieldValue(out, field.value);
    if (out.size() > kLineBytesMax) {
      out.resize(kLineBytesMax);
      out += "...";
      break;
    }
  }
}

LogOptions Resolved(LogOptions options) {
  if (options.format == LogFormat::kAuto) {
    options.format = isatty(STDERR_FILENO) != 0 ? LogFormat::kText : LogFormat::kJson;
  }
  return options;
}

}  // namespace

struct LogSink::Target {
  std::unique_ptr<spdlog::logger> logger;  // Null when lines go to `out`.
  Mutex mutex;
  std::string* out MR_GUARDED_BY(mutex) = nullptr;
};

LogSink::LogSink(const LogOptions& options, const Clock& clock)
    : options_(Resolved(options)), clock_(clock), target_(std::make_unique<Target>()) {
  target_->logger = std::make_unique<spdlog::logger>(
      "millrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  target_->logger->set_pattern("%v");
  target_->logger->set_level(spdlog::level::trace);
  target_->logger->set_error_handler([](const std::string&) {});
}

LogSink::LogSink(const LogOptions& options, const Clock& clock, std::string* out)
    : options_(Resolved(options)), clock_(clock), target_(std::make_unique<Target>()) {
  MutexLock lock(target_->mutex);
  target_->out = out;
}

LogSink::~LogSink() {
  LogSink* self = this;
  installed_sink.compare_exchange_strong(self, nullptr);
}

bool LogSink::enabled(LogLevel level) const { return level >= options_.level; }

void LogSink::Write(LogLevel level, std::string_view logger, std::string_view message,
                    std::initializer_list<LogField> fields) {
  if (!enabled(level)) {
    return;
  }
  std::string line(options_.shares_line ? kEraseLine : std::string_view());
  const auto append = options_.format == LogFormat::kJson ? &AppendJsonLine : &AppendTextLine;
  append(line, clock_.WallMicros(), level, logger, message.substr(0, kLineBytesMax), fields);
  if (target_->logger != nullptr) {
    target_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    return;
  }
  MutexLock lock(target_->mutex);
  *target_->out += line + '\n';
}

void InstallLogSink(LogSink* sink) { installed_sink.store(sink, std::memory_order_release); }

bool Logger::enabled(LogLevel level) const {
  const LogSink* sink = installed_sink.load(std::memory_order_acquire);
  return sink != nullptr && sink->enabled(level);
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) const {
  if (LogSink* sink = installed_sink.load(std::memory_order_acquire); sink != nullptr) {
    sink->Write(level, name_, message, fields);
  }
}

void Logger::WriteError(LogLevel level, std::string_view message, const Error& error) const {
  const std::string text = error.ToString();
  Write(level, message, {{"error.code", error.number()}, {"error.message", text}});
}

}  // namespace millrace
