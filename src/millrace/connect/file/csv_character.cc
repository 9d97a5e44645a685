#include "millrace/connect/file/csv_character.h"

#include <string_view>

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr std::string_view kTab = "tab";

}  // namespace

char CsvCharacterOf(const std::string& option) {
  return option == kTab ? '\t' : option.empty() ? '\0' : option.front();
}

Status CheckCsvCharacter(const std::string& option, bool may_miss) {
  const bool is_character = option == kTab || (option.size() == 1 && option.front() > '\0' &&
                                               option != "\n" && option != "\r");
  if (is_character || (may_miss && option.empty())) {
    return {};
  }
  return Err(ErrorCode::kConfigInvalidValue, fmt::format("expected one ASCII character{}, got '{}'",
                                                         may_miss ? " or none" : "", option));
}

}  // namespace millrace
