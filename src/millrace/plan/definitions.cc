#include "millrace/plan/definitions.h"

#include <algorithm>

namespace millrace {

namespace {

template <typename Definition>
const Definition* FindNamed(const std::vector<Definition>& definitions, std::string_view name) {
  const auto at = std::find_if(definitions.begin(), definitions.end(),
                               [&](const Definition& each) { return each.name == name; });
  return at == definitions.end() ? nullptr : &*at;
}

}  // namespace

const TableDefinition* ProjectDefinition::FindTable(std::string_view name) const {
  return FindNamed(tables, name);
}

const ViewDefinition* ProjectDefinition::FindView(std::string_view name) const {
  return FindNamed(views, name);
}

}  // namespace millrace
