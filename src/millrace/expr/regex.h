#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/base/result.h"
#include "millrace/expr/regex_syntax.h"

namespace re2 {
class RE2;
}

namespace millrace::internal {

/// A compiled regular expression in PostgreSQL's syntax (regex_syntax.h), matched by RE2 in time
/// linear in the text. Immutable; safe for many threads at once.
class Regex final {
 public:
  /// Memory of one pattern: its program and what matching caches. A pattern that needs more is
  /// kInvalidRegex.
  static constexpr int64_t kMemoryBytesMax = int64_t{4} << 20;
  static constexpr size_t kPatternBytesMax = size_t{32} << 10;

  /// kInvalidRegex.
  static Result<std::shared_ptr<const Regex>> Compile(std::string_view pattern,
                                                      const RegexFlags& flags);
  ~Regex();

  const RegexFlags& flags() const { return flags_; }
  /// The number of its groups.
  size_t groups() const { return groups_; }

  bool Matches(std::string_view text) const;

  /// Finds the first match of `text` that begins at byte `from` or later. Fills `groups`: the whole
  /// match, then its groups, as far as there is room; a group that took no part is none.
  bool Find(std::string_view text, size_t from,
            std::vector<std::optional<std::string_view>>& groups) const;

 private:
  Regex(std::unique_ptr<const re2::RE2> regex, const RegexFlags& flags);

  std::unique_ptr<const re2::RE2> regex_;
  RegexFlags flags_;
  size_t groups_ = 0;
};

/// Regular expressions that come with the rows: keeps the last ones compiled. Thread-safe.
class RegexCache final {
 public:
  static constexpr size_t kPatternsMax = 32;

  /// kInvalidRegex.
  Result<std::shared_ptr<const Regex>> Get(std::string_view pattern, std::string_view flags) const;

 private:
  struct Entry {
    std::string key;
    Result<std::shared_ptr<const Regex>> regex;
  };

  mutable Mutex mutex_;
  mutable std::vector<Entry> entries_ MR_GUARDED_BY(mutex_);  ///< Last used last.
};

}  // namespace millrace::internal
