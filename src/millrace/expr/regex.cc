#include "millrace/expr/regex.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <re2/re2.h>

namespace millrace::internal {

Regex::Regex(std::unique_ptr<const re2::RE2> regex, const RegexFlags& flags)
    : regex_(std::move(regex)),
      flags_(flags),
      groups_(static_cast<size_t>(regex_->NumberOfCapturingGroups())) {}

Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::Compile(std::string_view pattern,
                                                    const RegexFlags& flags) {
  if (pattern.size() > kPatternBytesMax) {
    return Err(ErrorCode::kInvalidRegex,
               fmt::format("invalid regular expression: longer than {} bytes", kPatternBytesMax));
  }
  MR_ASSIGN(const RegexTranslation translation, TranslateRegex(pattern, flags));
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMemoryBytesMax);
  options.set_dot_nl(!translation.dot_skips_newline);
  options.set_longest_match(translation.longest_match);
  auto regex = std::make_unique<re2::RE2>(translation.pattern, options);
  if (!regex->ok()) {
    return Err(ErrorCode::kInvalidRegex,
               fmt::format("invalid regular expression: {}", regex->error()));
  }
  std::unique_ptr<const Regex> compiled(new Regex(std::move(regex), flags));
  return std::shared_ptr<const Regex>(std::move(compiled));
}

bool Regex::Matches(std::string_view text) const {
  return regex_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr,
                       0);
}

bool Regex::Find(std::string_view text, size_t from,
                 std::vector<std::optional<std::string_view>>& groups) const {
  constexpr size_t kInline = 16;
  std::array<re2::StringPiece, kInline> few;
  std::vector<re2::StringPiece> many;
  const size_t count = std::min(groups.size(), groups_ + 1);
  re2::StringPiece* pieces = few.data();
  if (count > kInline) {
    many.resize(count);
    pieces = many.data();
  }
  if (!regex_->Match({text.data(), text.size()}, from, text.size(), re2::RE2::UNANCHORED, pieces,
                     static_cast<int>(count))) {
    return false;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const bool found = i < count && pieces[i].data() != nullptr;
    groups[i] =
        found ? std::optional(std::string_view(pieces[i].data(), pieces[i].size())) : std::nullopt;
  }
  return true;
}

Result<std::shared_ptr<const Regex>> RegexCache::Get(std::string_view pattern,
                                                     std::string_view flags) const {
  std::string key;
  key.reserve(pattern.size() + flags.size() + 1);
  key.append(flags).append(1, '/').append(pattern);
  MutexLock lock(mutex_);
  auto found = std::ranges::find(entries_, key, &Entry::key);
  if (found == entries_.end()) {
    const auto parsed = ParseRegexFlags(flags);
    auto regex = parsed ? Regex::Compile(pattern, *parsed)
                        : Result<std::shared_ptr<const Regex>>(Err(parsed.error()));
    if (entries_.size() == kPatternsMax) {
      entries_.erase(entries_.begin());
    }
    entries_.push_back({std::move(key), std::move(regex)});
    return entries_.back().regex;
  }
  std::rotate(found, found + 1, entries_.end());
  return entries_.back().regex;
}

}  // namespace millrace::internal
