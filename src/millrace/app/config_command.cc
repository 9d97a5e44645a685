#include "millrace/app/config_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/load_project.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/terminal.h"

namespace millrace {

int PrintConfiguration(const ProjectSelection& selection) {
  PosixFileSystem files;
  const LoadedConfiguration loaded = LoadConfiguration(files, RequestOf(selection));
  size_t name_width = 0;
  size_t text_width = 0;
  constexpr size_t kTextWidthMax = 40;
  for (const OptionReading& reading : loaded.readings) {
    name_width = std::max(name_width, reading.name.size());
    text_width = std::max(text_width, std::min(reading.text.size(), kTextWidthMax));
  }
  for (const OptionReading& reading : loaded.readings) {
    const bool is_unused =
        !reading.only_for.empty() && reading.origin.kind != SettingOrigin::Kind::kDefault;
    terminal::Result(fmt::format(
        "{:{}}  {:{}}  {}{}", reading.name, name_width, reading.text, text_width,
        reading.origin.ToString(),
        is_unused ? fmt::format(", unused without {}", reading.only_for) : std::string()));
  }
  PrintErrors(loaded.errors);
  return loaded.errors.empty() ? 0 : kExitFailure;
}

}  // namespace millrace
