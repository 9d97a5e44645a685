#include "millrace/base/glob.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace {

namespace {

/// Matches `c` against the set behind the '[' at `pattern[at]`. Returns where the set ends, behind
/// its ']', or npos when it is not closed.
size_t MatchSet(std::string_view pattern, size_t at, char c, bool& matches) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  i += negated ? 1 : 0;
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      matches = found != negated;
      return i + 1;
    }
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    const auto value = static_cast<unsigned char>(c);
    found = found || (low <= value && value <= high);
    ++i;
  }
  return std::string_view::npos;
}

/// Matches the single-character element at `pattern[at]`; moves `at` behind it on success.
bool MatchOne(std::string_view pattern, size_t& at, char c) {
  if (pattern[at] == '?') {
    ++at;
    return true;
  }
  if (pattern[at] == '[') {
    bool matches = false;
    const size_t end = MatchSet(pattern, at, c, matches);
    if (end != std::string_view::npos) {
      at = matches ? end : at;
      return matches;
    }
  }
  const size_t literal = pattern[at] == '\\' && at + 1 < pattern.size() ? at + 1 : at;
  if (pattern[literal] != c) {
    return false;
  }
  at = literal + 1;
  return true;
}

bool IsMissing(const Error& error) { return error.code() == ErrorCode::kFileNotFound; }

Status Expand(FileSystem& files, std::string_view pattern, const std::string& base,
              size_t paths_max, std::vector<std::string>& out) {
  const size_t slash = pattern.find('/');
  const std::string_view component = pattern.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const auto join = [&](std::string_view name) {
    return base.empty() ? std::string(name) : JoinPath(base, name);
  };
  const auto descend = [&](std::string_view name) {
    return Expand(files, pattern.substr(slash + 1), name.empty() ? base : join(name), paths_max,
                  out);
  };
  if (!last && !IsGlob(component)) {
    return descend(component);
  }
  auto entries = files.List(base.empty() ? "." : base);
  if (!entries) {
    return IsMissing(entries.error()) ? Status() : Err(entries.error());
  }
  for (const DirectoryEntry& entry : *entries) {
    if (!GlobMatches(component, entry.name)) {
      continue;
    }
    if (!last && entry.is_directory) {
      MR_TRY(descend(entry.name));
    } else if (last && !entry.is_directory) {
      if (out.size() == paths_max) {
        return Err(ErrorCode::kRecordTooLarge, fmt::format("more than {} files", paths_max));
      }
      out.push_back(join(entry.name));
    }
  }
  return {};
}

}  // namespace

bool IsGlob(std::string_view text) { return text.find_first_of("*?[\\") != std::string_view::npos; }

bool GlobMatches(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\.")) {
    return false;
  }
  // The last star is the only one that must ever take more (https://research.swtch.com/glob).
  size_t at = 0;
  size_t i = 0;
  size_t star = std::string_view::npos;
  size_t star_taken = 0;
  while (i < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_taken = i;
    } else if (at < pattern.size() && MatchOne(pattern, at, name[i])) {
      ++i;
    } else if (star != std::string_view::npos) {
      at = star;
      i = ++star_taken;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(pattern.substr(at), [](char c) { return c == '*'; });
}

Result<std::vector<std::string>> ListMatching(FileSystem& files, const std::string& pattern,
                                              size_t paths_max) {
  std::vector<std::string> paths;
  if (!IsGlob(pattern)) {
    const auto info = files.Info(pattern);
    if (!info && !IsMissing(info.error())) {
      return Err(info.error());
    }
    if (info) {
      paths.push_back(pattern);
    }
    return paths;
  }
  const bool absolute = pattern.starts_with('/');
  MR_TRY(Expand(files, std::string_view(pattern).substr(absolute ? 1 : 0), absolute ? "/" : "",
                paths_max, paths));
  std::ranges::sort(paths);
  return paths;
}

}  // namespace millrace
