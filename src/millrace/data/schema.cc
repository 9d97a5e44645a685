#include "millrace/data/schema.h"

#include <algorithm>

namespace millrace {

std::optional<size_t> Schema::Find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found == fields_.end()) {
    return std::nullopt;
  }
  return static_cast<size_t>(found - fields_.begin());
}

}  // namespace millrace
