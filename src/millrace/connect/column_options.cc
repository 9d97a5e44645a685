#include "millrace/connect/column_options.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "millrace/base/nearest_name.h"

namespace millrace {

namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return text;
}

/// "price" and "from" of `price.from`.
struct ColumnOptionName {
  std::string_view column;
  std::string_view option;
};

ColumnOptionName SplitName(std::string_view name) {
  const size_t dot = name.rfind('.');
  return {.column = name.substr(0, dot), .option = name.substr(dot + 1)};
}

ProjectError RefuseColumn(const TableDefinition& table, std::string_view name,
                          const SourceLocation& location) {
  std::vector<std::string_view> names;
  for (const Field& field : table.schema->fields()) {
    names.push_back(field.name);
  }
  const std::string nearest = NearestName(name, names);
  const Error error(ErrorCode::kSqlUnknownColumn,
                    fmt::format("table {} has no column '{}'", table.name, name));
  return {location,
          nearest.empty() ? error : error.WithHint(fmt::format("did you mean '{}'?", nearest))};
}

}  // namespace

WithOptionMap OptionsOfColumn(const TableDefinition& table, size_t column) {
  const std::string name = LowerCase(table.schema->field(column).name);
  WithOptionMap options;
  for (const auto& [key, option] : table.options) {
    if (IsColumnOption(key) && SplitName(key).column == name) {
      options.emplace(SplitName(key).option, option);
    }
  }
  return options;
}

const SourceLocation& ColumnOptionLocation(const TableDefinition& table, size_t column,
                                           std::string_view option) {
  const std::string name =
      fmt::format("{}.{}", LowerCase(table.schema->field(column).name), option);
  const auto found = table.options.find(name);
  return found == table.options.end() ? table.location : found->second.location;
}

void CheckColumnOptions(const TableDefinition& table, const OptionTableBase& known,
                        std::vector<ProjectError>& errors) {
  for (const auto& [key, option] : table.options) {
    if (!IsColumnOption(key)) {
      continue;
    }
    const ColumnOptionName name = SplitName(key);
    const bool has_column = std::ranges::any_of(table.schema->fields(), [&](const Field& field) {
      return LowerCase(field.name) == name.column;
    });
    if (!has_column) {
      errors.push_back(RefuseColumn(table, name.column, option.location));
      continue;
    }
    OptionSources sources;
    sources.AddWith({{std::string(name.option), option}}, table.location);
    const OptionTableBase* const tables[] = {&known};
    RefuseUnknownOptions(sources, tables, errors);
  }
}

}  // namespace millrace
