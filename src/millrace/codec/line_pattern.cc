#include "millrace/codec/line_pattern.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <re2/re2.h>

namespace millrace {

namespace {

constexpr int kNoGroup = 0;  // Of RE2 the number of the whole match.

/// Writes (?<name> as (?P<name>, which is all that RE2 knows before 2023.
std::string WithPythonGroups(std::string_view pattern) {
  std::string out;
  bool in_set = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (c == '[') {
      in_set = true;
    } else if (c == ']') {
      in_set = false;
    } else if (!in_set && c == '(' && pattern.substr(i + 1, 2) == "?<") {
      out += "?P";
      ++i;
    }
  }
  return out;
}

Result<std::unique_ptr<re2::RE2>> CompileRegex(const std::string& pattern) {
  re2::RE2::Options options(re2::RE2::Quiet);
  constexpr int64_t kMemoryMax = int64_t{32} << 20;
  options.set_max_mem(kMemoryMax);
  auto regex = std::make_unique<re2::RE2>(WithPythonGroups(pattern), options);
  if (!regex->ok()) {
    return Err(ErrorCode::kInvalidRegex, fmt::format("pattern: {}", regex->error()));
  }
  return regex;
}

}  // namespace

LinePattern::LinePattern(std::unique_ptr<const re2::RE2> regex, std::vector<int> groups)
    : regex_(std::move(regex)),
      groups_(std::move(groups)),
      matched_(groups_.empty() ? 1 : static_cast<size_t>(std::ranges::max(groups_)) + 1) {}
LinePattern::LinePattern(LinePattern&&) noexcept = default;
LinePattern& LinePattern::operator=(LinePattern&&) noexcept = default;
LinePattern::~LinePattern() = default;

Result<LinePattern> LinePattern::Compile(const std::string& pattern, const Schema& schema) {
  MR_ASSIGN(auto regex, CompileRegex(pattern));
  std::map<std::string, int> unused = regex->NamedCapturingGroups();
  std::vector<int> groups(schema.size(), kNoGroup);
  for (size_t i = 0; i < schema.size(); ++i) {
    const Field& field = schema.field(i);
    const auto group = unused.extract(field.name);
    if (!group.empty()) {
      groups[i] = group.mapped();
    } else if (!field.nullable) {
      return std::unexpected(
          Error(ErrorCode::kConfigInvalidValue,
                fmt::format("pattern has no group for the NOT NULL column {}", field.name))
              .WithHint(fmt::format("write (?<{}>...) around what it matches", field.name)));
    }
  }
  if (!unused.empty()) {
    return std::unexpected(Error(ErrorCode::kConfigInvalidValue,
                                 fmt::format("pattern has a group for which there is no column: {}",
                                             unused.begin()->first))
                               .WithHint("declare the column, or write (?:...)"));
  }
  return LinePattern(std::move(regex), std::move(groups));
}

bool LinePattern::Match(std::string_view line,
                        std::vector<std::optional<std::string_view>>& fields) {
  const re2::StringPiece text(line.data(), line.size());
  if (!regex_->Match(text, 0, line.size(), re2::RE2::ANCHOR_BOTH, matched_.data(),
                     static_cast<int>(matched_.size()))) {
    return false;
  }
  fields.assign(groups_.size(), std::nullopt);
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i] != kNoGroup) {
      const re2::StringPiece& group = matched_[static_cast<size_t>(groups_[i])];
      if (group.data() != nullptr) {
        fields[i] = std::string_view(group.data(), group.size());
      }
    }
  }
  return true;
}

}  // namespace millrace
