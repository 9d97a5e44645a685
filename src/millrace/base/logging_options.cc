#include "millrace/base/logging_options.h"

namespace millrace {

const OptionTable<LogOptions>& LogOptionTable() {
  static const OptionTable<LogOptions> kTable = [] {
    OptionTable<LogOptions> table;
    table.AddChoice("logging.level", &LogOptions::level,
                    {{"debug", LogLevel::kDebug},
                     {"info", LogLevel::kInfo},
                     {"warning", LogLevel::kWarning},
                     {"error", LogLevel::kError},
                     {"off", LogLevel::kOff}},
                    "The least severe lines that are written, to standard error.");
    table.AddChoice(
        "logging.format", &LogOptions::format,
        {{"auto", LogFormat::kAuto}, {"json", LogFormat::kJson}, {"text", LogFormat::kText}},
        "JSON lines with names of the Elastic Common Schema, or text; auto is text on a terminal.");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
