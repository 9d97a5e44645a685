#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::serve {

/// Decodes %XX once, `in_query` also "+" as a space. kHttpBadRequest for a broken escape, NUL,
/// outside of queries any control character, and text that is not UTF-8.
Result<std::string> PercentDecode(std::string_view text, bool in_query);

/// Appends `text` with every byte escaped that is not unreserved (RFC 3986 section 2.3).
void AppendPercentEncoded(std::string& out, std::string_view text);

/// Splits a path that begins with a slash into decoded segments; "/" has none. A slash that was
/// escaped stays inside its segment. kHttpBadRequest as of PercentDecode and for "." and ".."
/// segments; an empty segment stays and so matches no route.
Result<std::vector<std::string>> SplitUrlPath(std::string_view path);

/// The part of a request target behind "?": name=value pairs in order, decoded.
class QueryParameters {
 public:
  static constexpr size_t kCountMax = 64;

  struct Pair {
    std::string name;
    std::string value;
  };

  /// kHttpBadRequest for more than kCountMax pairs, an empty name and as of PercentDecode.
  static Result<QueryParameters> Parse(std::string_view query);

  const std::vector<Pair>& pairs() const { return pairs_; }

  /// The value of a parameter that may occur once; kHttpBadRequest when it occurs more often.
  Result<std::optional<std::string_view>> Single(std::string_view name) const;
  /// The same as a number in [min, max]; `absent` when it does not occur.
  Result<uint64_t> SingleNumber(std::string_view name, uint64_t absent, uint64_t min,
                                uint64_t max) const;
  /// The same as "true" or "false"; false when it does not occur.
  Result<bool> SingleFlag(std::string_view name) const;
  /// kHttpBadRequest when a parameter has none of these names.
  Status CheckNames(std::initializer_list<std::string_view> names) const;

 private:
  std::vector<Pair> pairs_;
};

}  // namespace millrace::serve
