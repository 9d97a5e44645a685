#include "millrace/sql/scope.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::internal {

Scope::Scope(const std::string& qualifier, const Schema& schema) {
  for (const Field& field : schema.fields()) {
    entries_.push_back({qualifier, field});
  }
}

Scope Scope::Of(const Scope& left, const Scope& right) {
  Scope scope = left;
  scope.entries_.insert(scope.entries_.end(), right.entries_.begin(), right.entries_.end());
  return scope;
}

bool Scope::HasQualifier(const std::string& qualifier) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.qualifier == qualifier; });
}

std::vector<size_t> Scope::Matches(const std::string& qualifier, const std::string& name) const {
  std::vector<size_t> matches;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].field.name == name &&
        (qualifier.empty() ? !entries_[i].hidden : entries_[i].qualifier == qualifier)) {
      matches.push_back(i);
    }
  }
  return matches;
}

Bound<size_t> Scope::Find(const std::string& qualifier, const std::string& name, int offset) const {
  const std::vector<size_t> matches = Matches(qualifier, name);
  if (matches.size() == 1) {
    return matches.front();
  }
  if (matches.size() > 1) {
    return ErrAt(offset, ErrorCode::kSqlAmbiguousColumn, "column is ambiguous: " + name,
                 "put the table's name or alias before it");
  }
  if (!qualifier.empty() && !HasQualifier(qualifier)) {
    return ErrAt(offset, ErrorCode::kSqlUnknownRelation,
                 "no table of this name in FROM: " + qualifier);
  }
  std::vector<std::string_view> names;
  names.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    names.push_back(entry.field.name);
  }
  return ErrAt(offset, ErrorCode::kSqlUnknownColumn, "column does not exist: " + name,
               MeantHint(name, names));
}

std::optional<size_t> Scope::FindUnique(const std::string& name) const {
  const std::vector<size_t> matches = Matches("", name);
  return matches.size() == 1 ? std::optional(matches.front()) : std::nullopt;
}

}  // namespace millrace::internal
