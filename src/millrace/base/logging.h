#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "millrace/base/clock.h"
#include "millrace/base/error.h"

namespace millrace {

/// kError: someone must act. kWarning: someone should look soon. kInfo: life of long-lived things.
/// kDebug: for developers, off by default.
enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

/// One key and value of a log line. Keys are Elastic Common Schema names where one fits
/// (error.code, event.duration), else snake_case. The value is only referred to.
struct LogField {
  using Value = std::variant<int64_t, uint64_t, double, bool, std::string_view>;

  template <typename T>
  LogField(std::string_view name, const T& field_value) : key(name), value(Convert(field_value)) {}

  std::string_view key;
  Value value;

 private:
  template <typename T>
  static Value Convert(const T& field_value) {
    if constexpr (std::same_as<T, bool>) {
      return field_value;
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<int64_t>(field_value);
    } else if constexpr (std::unsigned_integral<T>) {
      return static_cast<uint64_t>(field_value);
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(field_value);
    } else if constexpr (requires { field_value.value(); }) {
      return Convert(field_value.value());  // The strong types of ids.h.
    } else {
      return std::string_view(field_value);
    }
  }
};

enum class LogFormat : uint8_t {
  kAuto,  ///< kText when standard error is a terminal, else kJson.
  kJson,  ///< One JSON object per line with ECS names.
  kText,  ///< For people: time level logger: message key=value ...
};

struct LogOptions {
  LogFormat format = LogFormat::kAuto;
  LogLevel level = LogLevel::kInfo;
  /// Somebody else keeps a line at the end of the terminal; text lines are written over it.
  bool shares_line = false;
};

/// Where lines go. One per process, made and installed by app; lines before and after are dropped.
/// Thread-safe. A line is at most 16 KiB, longer ones are cut. Never throws, never blocks longer
/// than one write to standard error takes.
class LogSink {
 public:
  /// Writes to standard error. `clock` must outlive the sink.
  LogSink(const LogOptions& options, const Clock& clock);
  /// For tests: appends to `*out` instead.
  LogSink(const LogOptions& options, const Clock& clock, std::string* out);
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  bool enabled(LogLevel level) const;
  void Write(LogLevel level, std::string_view logger, std::string_view message,
             std::initializer_list<LogField> fields);

 private:
  struct Target;
  const LogOptions options_;
  const Clock& clock_;
  std::unique_ptr<Target> target_;
};

/// Makes `sink` the one that loggers write to until it is replaced; null = none. The caller keeps
/// it alive longer than any thread that logs.
void InstallLogSink(LogSink* sink);

/// Names the origin of lines; one constant per folder: `constexpr Logger kLog("stream");`
class Logger {
 public:
  constexpr explicit Logger(std::string_view name) : name_(name) {}

  bool enabled(LogLevel level) const;
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) const;
  /// Adds error.code and error.message.
  void WriteError(LogLevel level, std::string_view message, const Error& error) const;

 private:
  std::string_view name_;
};

}  // namespace millrace

/// Logs static text with fields, which are not evaluated when the level is off:
/// `MR_LOG(kLog, kInfo, "stream opened", {"stream", name}, {"rows", rows})`.
#define MR_LOG(logger, level, message, ...)                                   \
  do {                                                                        \
    if ((logger).enabled(::millrace::LogLevel::level)) {                      \
      (logger).Write(::millrace::LogLevel::level, "" message, {__VA_ARGS__}); \
    }                                                                         \
  } while (false)

/// Logs static text and an Error: `MR_LOG_ERROR(kLog, kWarning, "commit failed", error)`.
#define MR_LOG_ERROR(logger, level, message, error)                        \
  do {                                                                     \
    if ((logger).enabled(::millrace::LogLevel::level)) {                   \
      (logger).WriteError(::millrace::LogLevel::level, "" message, error); \
    }                                                                      \
  } while (false)
