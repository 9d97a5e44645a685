#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/expr/functions.h"
#include "millrace/expr/regex.h"
#include "millrace/expr/text_rows.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kInt = TypeId::kInt32;
constexpr size_t kPatternAt = 1;
constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

using Groups = std::vector<std::optional<std::string_view>>;

/// What a call prepares: its pattern, where that is a literal, else a cache of them.
struct RegexSource {
  std::shared_ptr<const Regex> constant;
  RegexCache cache;
};

Status RefuseGlobal(std::string_view flags) {
  return flags.find('g') == std::string_view::npos
             ? Status()
             : Err(ErrorCode::kInvalidRegex, "the option \"g\" is of regexp_replace only");
}

/// Where a function's arguments are; kNowhere: it does not have this one.
struct Places {
  size_t flags = kNowhere;
  size_t start = kNowhere;
  size_t occurrence = kNowhere;
  size_t end_option = kNowhere;
  size_t group = kNowhere;
  bool ignore_case = false;
  bool global = false;  ///< Whether the option g is allowed.
};

template <Places kPlaces>
Result<Prepared> PrepareRegex(std::span<const Value* const> literals) {
  auto source = std::make_shared<RegexSource>();
  RegexFlags flags{.ignore_case = kPlaces.ignore_case};
  const Value* letters = kPlaces.flags == kNowhere ? nullptr : literals[kPlaces.flags];
  if (letters != nullptr) {
    const auto& text = letters->Get<std::string>();
    MR_ASSIGN(flags, ParseRegexFlags(text));
    MR_TRY(kPlaces.global ? Status() : RefuseGlobal(text));
  }
  const bool known = kPlaces.flags == kNowhere || letters != nullptr;
  if (known && literals[kPatternAt] != nullptr) {
    MR_ASSIGN(source->constant, Regex::Compile(literals[kPatternAt]->Get<std::string>(), flags));
  }
  return source;
}

/// Gives the regular expression of each row, and its other arguments.
template <Places kPlaces>
class RegexReader {
 public:
  /// `all_groups`: matches are asked for their groups too, which takes RE2 longer.
  RegexReader(const KernelCall& call, bool all_groups)
      : call_(call),
        source_(*static_cast<const RegexSource*>(call.prepared)),
        all_groups_(all_groups) {
    if (source_.constant != nullptr) {
      Take(source_.constant);
    }
  }

  /// Null when the row has failed.
  const Regex* At(size_t row) {
    if (source_.constant != nullptr) {
      return current_.get();
    }
    const std::string_view pattern = call_.argument(kPatternAt).Text(row);
    const std::string_view flags = FlagsAt(row);
    if (current_ == nullptr || pattern != pattern_ || flags != flags_) {
      const Status allowed = kPlaces.global ? Status() : RefuseGlobal(flags);
      auto regex = allowed ? source_.cache.Get(pattern, flags)
                           : Result<std::shared_ptr<const Regex>>(Err(allowed.error()));
      if (!regex) {
        call_.Fail(row, regex.error().code(), regex.error().message());
        return nullptr;
      }
      Take(*std::move(regex));
      pattern_ = pattern;
      flags_ = flags;
    }
    return current_.get();
  }

  /// The integer argument at `place`, which must not be below `minimum`; none: the row has failed.
  std::optional<int64_t> Integer(size_t row, size_t place, int64_t missing, int64_t minimum,
                                 std::string_view name) const {
    const int64_t value = place == kNowhere ? missing : call_.argument(place).At<int32_t>(row);
    if (value < minimum) {
      call_.Fail(row, ErrorCode::kNumericOutOfRange,
                 fmt::format("invalid value for parameter \"{}\": {}", name, value));
      return std::nullopt;
    }
    return value;
  }

  Groups& groups() { return groups_; }

 private:
  void Take(std::shared_ptr<const Regex> regex) {
    current_ = std::move(regex);
    groups_.resize(all_groups_ ? current_->groups() + 1 : 1);
  }
  std::string_view FlagsAt(size_t row) const {
    if constexpr (kPlaces.flags == kNowhere) {
      return kPlaces.ignore_case ? "i" : "";
    } else {
      return call_.argument(kPlaces.flags).Text(row);
    }
  }

  const KernelCall& call_;
  const RegexSource& source_;
  bool all_groups_;
  std::shared_ptr<const Regex> current_;
  std::string_view pattern_;
  std::string_view flags_;
  Groups groups_;
};

/// Walks over the matches of a text as PostgreSQL does: behind an empty match it goes on one
/// character further.
class MatchWalker {
 public:
  MatchWalker(const Regex& regex, std::string_view text, int64_t start, Groups& groups)
      : regex_(regex), text_(text), groups_(groups) {
    const auto skipped = static_cast<size_t>(start - 1);
    at_ = CharacterOffset(text, skipped);
    done_ = at_ == text.size() && CharacterCount(text) < skipped;
  }

  bool Next() {
    if (done_ || !regex_.Find(text_, at_, groups_)) {
      return false;
    }
    const std::string_view match = *groups_[0];
    at_ = static_cast<size_t>(match.data() - text_.data()) + match.size();
    if (match.empty()) {
      done_ = at_ == text_.size();
      at_ += CharacterOffset(text_.substr(at_), 1);
    }
    return true;
  }
  bool Skip(int64_t matches) {
    while (matches > 0 && Next()) {
      --matches;
    }
    return matches == 0;
  }

 private:
  const Regex& regex_;
  std::string_view text_;
  Groups& groups_;
  size_t at_ = 0;
  bool done_ = false;
};

template <Places kPlaces, bool kNegated>
Column MatchKernel(const KernelCall& call) {
  RegexReader<kPlaces> reader(call, false);
  auto words = PackBits(call.rows, [&](size_t row) {
    const Regex* regex = call.IsValid(row) ? reader.At(row) : nullptr;
    return regex != nullptr && regex->Matches(call.argument(0).Text(row)) != kNegated;
  });
  return BooleanResult(call, std::move(words));
}

template <Places kPlaces>
Column CountKernel(const KernelCall& call) {
  RegexReader<kPlaces> reader(call, false);
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const Regex* regex = reader.At(row);
    const auto start = reader.Integer(row, kPlaces.start, 1, 1, "start");
    if (regex == nullptr || !start) {
      return 0;
    }
    MatchWalker walker(*regex, call.argument(0).Text(row), *start, reader.groups());
    int32_t count = 0;
    while (walker.Next()) {
      ++count;
    }
    return count;
  });
}

/// Finds the wanted match of a row, or its wanted group. `found` is none when there is none; false
/// when the row has failed.
template <Places kPlaces>
bool FindWanted(const KernelCall& call, RegexReader<kPlaces>& reader, size_t row,
                std::optional<std::string_view>& found) {
  const Regex* regex = reader.At(row);
  const auto start = reader.Integer(row, kPlaces.start, 1, 1, "start");
  const auto occurrence = reader.Integer(row, kPlaces.occurrence, 1, 1, "n");
  const auto group = reader.Integer(row, kPlaces.group, 0, 0, "subexpr");
  if (regex == nullptr || !start || !occurrence || !group) {
    return false;
  }
  MatchWalker walker(*regex, call.argument(0).Text(row), *start, reader.groups());
  const auto index = static_cast<size_t>(*group);
  const bool there = walker.Skip(*occurrence) && index < reader.groups().size();
  found = there ? reader.groups()[index] : std::nullopt;
  return true;
}

template <Places kPlaces>
Column SubstringKernel(const KernelCall& call) {
  RegexReader<kPlaces> reader(call, kPlaces.group != kNowhere);
  return BuildParts(call, 0, [&](size_t row, std::string_view) {
    std::optional<std::string_view> found;
    FindWanted(call, reader, row, found);
    return found;
  });
}

template <Places kPlaces>
Column InstrKernel(const KernelCall& call) {
  RegexReader<kPlaces> reader(call, kPlaces.group != kNowhere);
  return ComputeRows<int32_t>(call, [&](size_t row) {
    std::optional<std::string_view> found;
    const auto option = reader.Integer(row, kPlaces.end_option, 0, 0, "endoption");
    if (!option || !FindWanted(call, reader, row, found)) {
      return 0;
    }
    if (*option > 1) {
      call.Fail(row, ErrorCode::kNumericOutOfRange,
                fmt::format("invalid value for parameter \"endoption\": {}", *option));
      return 0;
    }
    if (!found) {
      return 0;
    }
    const std::string_view text = call.argument(0).Text(row);
    const char* at = found->data() + (*option == 1 ? found->size() : 0);
    const auto before = static_cast<size_t>(at - text.data());
    return static_cast<int32_t>(CharacterCount(text.substr(0, before)) + 1);
  });
}

/// substring(text from pattern): the first group where there are any, else the match.
template <Places kPlaces>
Column FirstGroupKernel(const KernelCall& call) {
  RegexReader<kPlaces> reader(call, true);
  return BuildParts(call, 0, [&](size_t row, std::string_view text) {
    const Regex* regex = reader.At(row);
    const bool found = regex != nullptr && regex->Find(text, 0, reader.groups());
    return found ? reader.groups()[regex->groups() > 0 ? 1 : 0] : std::nullopt;
  });
}

/// \1 to \9 are groups, \& is the match, \\ a backslash.
void AppendReplacement(std::string& out, std::string_view replacement, const Groups& groups) {
  for (size_t at = 0; at < replacement.size();) {
    const size_t escape = replacement.find('\\', at);
    out.append(replacement, at, escape == std::string_view::npos ? escape : escape - at);
    if (escape == std::string_view::npos) {
      return;
    }
    const char next = escape + 1 < replacement.size() ? replacement[escape + 1] : '\0';
    const size_t group = next == '&' ? 0 : static_cast<size_t>(next - '0');
    at = escape + 2;
    if (next == '&' || (next >= '1' && next <= '9')) {
      out.append(group < groups.size() ? groups[group].value_or("") : "");
    } else {
      out += '\\';
      at = next == '\\' ? at : escape + 1;
    }
  }
}

/// Replaces match number `occurrence`, all when 0; returns whether there was one.
bool ReplaceMatches(std::string& out, MatchWalker& walker, const Groups& groups,
                    std::string_view text, std::string_view replacement, int64_t occurrence) {
  size_t copied = 0;
  int64_t number = 0;
  out.clear();
  while (walker.Next()) {
    ++number;
    if (occurrence > 0 && number != occurrence) {
      continue;
    }
    const auto begin = static_cast<size_t>(groups[0]->data() - text.data());
    out.append(text, copied, begin - copied);
    AppendReplacement(out, replacement, groups);
    copied = begin + groups[0]->size();
    if (occurrence > 0) {
      out.append(text, copied);
      return true;
    }
  }
  out.append(text, copied);
  return occurrence == 0 && number > 0;
}

template <Places kPlaces>
Column ReplaceKernel(const KernelCall& call) {
  const Operand& replacements = call.argument(2);
  const bool plain =
      replacements.constant && replacements.Text(0).find('\\') == std::string_view::npos;
  RegexReader<kPlaces> reader(call, !plain);
  PartBuilder builder(call, 0);
  std::string scratch;
  for (size_t row = 0; row < call.rows; ++row) {
    const Regex* regex = call.IsValid(row) ? reader.At(row) : nullptr;
    if (regex == nullptr) {
      builder.AppendNull();
      continue;
    }
    const auto start = reader.Integer(row, kPlaces.start, 1, 1, "start");
    const auto occurrence =
        reader.Integer(row, kPlaces.occurrence, regex->flags().global ? 0 : 1, 0, "n");
    if (!start || !occurrence) {
      builder.AppendNull();
      continue;
    }
    const std::string_view text = call.argument(0).Text(row);
    MatchWalker walker(*regex, text, *start, reader.groups());
    if (ReplaceMatches(scratch, walker, reader.groups(), text, replacements.Text(row),
                       *occurrence)) {
      builder.AppendText(scratch);
    } else {
      builder.AppendPart(row, text);
    }
  }
  return builder.Finish();
}

template <Places kPlaces>
void Add(std::vector<ScalarFunction>& out, std::string_view name,
         const std::vector<TypeId>& arguments, TypeId result, Kernel kernel,
         bool may_give_null = false) {
  out.push_back({.name = name,
                 .arguments = arguments,
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .prepare = PrepareRegex<kPlaces>,
                 .may_give_null = may_give_null});
}

void AddMatches(std::vector<ScalarFunction>& out) {
  constexpr TypeId kBool = TypeId::kBoolean;
  constexpr Places kPlain;
  constexpr Places kAnyCase{.ignore_case = true};
  constexpr Places kFlags{.flags = 2};
  Add<kPlain>(out, "~", {kText, kText}, kBool, MatchKernel<kPlain, false>);
  Add<kPlain>(out, "!~", {kText, kText}, kBool, MatchKernel<kPlain, true>);
  Add<kAnyCase>(out, "~*", {kText, kText}, kBool, MatchKernel<kAnyCase, false>);
  Add<kAnyCase>(out, "!~*", {kText, kText}, kBool, MatchKernel<kAnyCase, true>);
  Add<kPlain>(out, "regexp_like", {kText, kText}, kBool, MatchKernel<kPlain, false>);
  Add<kFlags>(out, "regexp_like", {kText, kText, kText}, kBool, MatchKernel<kFlags, false>);
}

template <Places kPlaces>
void AddSubstring(std::vector<ScalarFunction>& out, std::vector<TypeId> arguments) {
  Add<kPlaces>(out, "regexp_substr", std::move(arguments), kText, SubstringKernel<kPlaces>, true);
}

template <Places kPlaces>
void AddInstr(std::vector<ScalarFunction>& out, std::vector<TypeId> arguments) {
  Add<kPlaces>(out, "regexp_instr", std::move(arguments), kInt, InstrKernel<kPlaces>);
}

template <Places kPlaces>
void AddCount(std::vector<ScalarFunction>& out, std::vector<TypeId> arguments) {
  Add<kPlaces>(out, "regexp_count", std::move(arguments), kInt, CountKernel<kPlaces>);
}

template <Places kPlaces>
void AddReplace(std::vector<ScalarFunction>& out, std::vector<TypeId> arguments) {
  Add<kPlaces>(out, "regexp_replace", std::move(arguments), kText, ReplaceKernel<kPlaces>);
}

}  // namespace

void AddRegexFunctions(std::vector<ScalarFunction>& out) {
  AddMatches(out);
  AddCount<Places{}>(out, {kText, kText});
  AddCount<Places{.start = 2}>(out, {kText, kText, kInt});
  AddCount<Places{.flags = 3, .start = 2}>(out, {kText, kText, kInt, kText});

  AddSubstring<Places{}>(out, {kText, kText});
  AddSubstring<Places{.start = 2}>(out, {kText, kText, kInt});
  AddSubstring<Places{.start = 2, .occurrence = 3}>(out, {kText, kText, kInt, kInt});
  AddSubstring<Places{.flags = 4, .start = 2, .occurrence = 3}>(out,
                                                                {kText, kText, kInt, kInt, kText});
  AddSubstring<Places{.flags = 4, .start = 2, .occurrence = 3, .group = 5}>(
      out, {kText, kText, kInt, kInt, kText, kInt});

  AddInstr<Places{}>(out, {kText, kText});
  AddInstr<Places{.start = 2}>(out, {kText, kText, kInt});
  AddInstr<Places{.start = 2, .occurrence = 3}>(out, {kText, kText, kInt, kInt});
  AddInstr<Places{.start = 2, .occurrence = 3, .end_option = 4}>(out,
                                                                 {kText, kText, kInt, kInt, kInt});
  AddInstr<Places{.flags = 5, .start = 2, .occurrence = 3, .end_option = 4}>(
      out, {kText, kText, kInt, kInt, kInt, kText});
  AddInstr<Places{.flags = 5, .start = 2, .occurrence = 3, .end_option = 4, .group = 6}>(
      out, {kText, kText, kInt, kInt, kInt, kText, kInt});

  AddReplace<Places{}>(out, {kText, kText, kText});
  AddReplace<Places{.flags = 3, .global = true}>(out, {kText, kText, kText, kText});
  AddReplace<Places{.start = 3}>(out, {kText, kText, kText, kInt});
  AddReplace<Places{.start = 3, .occurrence = 4}>(out, {kText, kText, kText, kInt, kInt});
  AddReplace<Places{.flags = 5, .start = 3, .occurrence = 4, .global = true}>(
      out, {kText, kText, kText, kInt, kInt, kText});

  Add<Places{}>(out, "substring", {kText, kText}, kText, FirstGroupKernel<Places{}>, true);
}

}  // namespace millrace::internal
