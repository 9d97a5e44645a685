#pragma once

#include <string>
#include <string_view>

namespace millrace::internal {

/// Appends text as SQL writes it as a literal: 'it''s', E'a\\b'.
void AppendQuotedLiteral(std::string& out, std::string_view text);

/// Appends a name as SQL writes it: as it is where it is lower case and not a word of SQL, else in
/// double quotes.
void AppendQuotedIdentifier(std::string& out, std::string_view name);

}  // namespace millrace::internal
