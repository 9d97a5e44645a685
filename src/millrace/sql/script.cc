#include "millrace/sql/script.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <pg_query.h>

#include "millrace/base/large_stack_thread.h"
#include "millrace/sql/token_reader.h"

namespace millrace::internal {

namespace {

/// The parser and the printer of its tree recurse once or more per token, at up to 1 KiB a frame.
constexpr size_t kParserStackBytes = size_t{512} << 20;

Bound<void> ParserError(const PgQueryError* error, std::string_view text) {
  // cursorpos counts characters from 1.
  int offset = 0;
  for (int left = error->cursorpos - 1; left > 0 && offset < static_cast<int>(text.size());) {
    ++offset;
    const bool starts =
        offset == static_cast<int>(text.size()) ||
        (static_cast<unsigned char>(text[static_cast<size_t>(offset)]) & 0xc0) != 0x80;
    left -= starts ? 1 : 0;
  }
  const std::string_view message = error->message;
  // The parser's own stack has an end too.
  const bool too_deep = message.starts_with("memory exhausted");
  return ErrAt(offset, too_deep ? ErrorCode::kSqlTooLarge : ErrorCode::kSqlSyntax,
               std::string(message));
}

/// One thread for all parsing: libpg_query uses up one of the process's 1,024 thread-specific keys
/// for every thread that has called it, and never gives it back.
LargeStackThread& ParserThread() {
  static LargeStackThread thread(kParserStackBytes);
  return thread;
}

}  // namespace

Bound<std::unique_ptr<const Script>> Script::Parse(const SqlFile& file) {
  if (file.text.size() > kTextBytesMax) {
    return ErrAt(0, ErrorCode::kSqlTooLarge,
                 fmt::format("the SQL text is longer than {} bytes", kTextBytesMax),
                 "split it into several files");
  }
  if (const size_t nul = file.text.find('\0'); nul != std::string::npos) {
    return ErrAt(static_cast<int>(nul), ErrorCode::kSqlSyntax,
                 "the SQL text holds a NUL character");
  }
  std::unique_ptr<Script> script(new Script(file));
  Bound<void> outcome;
  const Status ran = ParserThread().Run([&] {
    outcome = script->Scan();
    if (outcome) {
      outcome = script->ParseTree();
    }
  });
  MR_TRY(At(0, ran));
  MR_TRY(outcome);
  return std::unique_ptr<const Script>(std::move(script));
}

Bound<void> Script::Scan() {
  const PgQueryScanResult result = pg_query_scan(file_.text.c_str());
  Bound<void> outcome;
  if (result.error != nullptr) {
    outcome = ParserError(result.error, file_.text);
  } else {
    tokens_ = ReadTokens({result.pbuf.data, result.pbuf.len});
  }
  pg_query_free_scan_result(result);
  MR_TRY(outcome);
  if (tokens_.size() > kTokensMax) {
    return ErrAt(tokens_[kTokensMax].begin, ErrorCode::kSqlTooLarge,
                 fmt::format("the SQL text has more than {} tokens", kTokensMax),
                 "split it into several files or shorten the expression");
  }
  size_t nesting = 0;
  for (const Token& token : tokens_) {
    const char c = file_.text[static_cast<size_t>(token.begin)];
    if (c == '(' && ++nesting > kNestingMax) {
      return ErrAt(token.begin, ErrorCode::kSqlTooLarge,
                   fmt::format("parentheses are nested deeper than {}", kNestingMax));
    }
    nesting -= c == ')' && nesting > 0 ? 1 : 0;
  }
  return {};
}

Bound<void> Script::ParseTree() {
  const PgQueryParseResult result = pg_query_parse(file_.text.c_str());
  Bound<void> outcome;
  if (result.error != nullptr) {
    outcome = ParserError(result.error, file_.text);
  } else {
    boost::json::parse_options options;
    options.max_depth = 16 * kTokensMax;
    boost::system::error_code code;
    tree_ = boost::json::parse(result.parse_tree, code, &memory_, options);
    if (code) {
      outcome =
          ErrAt(0, ErrorCode::kInternal, "the parse tree is not valid JSON: " + code.message());
    }
  }
  pg_query_free_parse_result(result);
  return outcome;
}

const boost::json::array& Script::statements() const {
  return tree_.as_object().at("stmts").as_array();
}

SourceLocation Script::Locate(const SqlFile& file, int offset) {
  SourceLocation location{.file = file.path, .line = 1, .column = 1};
  const size_t end = std::min(file.text.size(), static_cast<size_t>(std::max(offset, 0)));
  for (size_t i = 0; i < end; ++i) {
    if (file.text[i] == '\n') {
      ++location.line;
      location.column = 1;
    } else if ((static_cast<unsigned char>(file.text[i]) & 0xc0) != 0x80) {
      ++location.column;
    }
  }
  return location;
}

int64_t Script::IntegerAt(int offset) const {
  auto token = std::lower_bound(tokens_.begin(), tokens_.end(), offset,
                                [](const Token& each, int at) { return each.begin < at; });
  bool negative = false;
  for (; token != tokens_.end(); ++token) {
    const std::string_view word = std::string_view(file_.text)
                                      .substr(static_cast<size_t>(token->begin),
                                              static_cast<size_t>(token->end - token->begin));
    int64_t value = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc()) {
      return negative ? -value : value;
    }
    negative ^= word == "-";
  }
  return 0;
}

}  // namespace millrace::internal
