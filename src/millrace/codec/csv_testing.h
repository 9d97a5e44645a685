#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/codec/csv_scan.h"

namespace millrace::csv {

/// A field as the plainest reader of the rules of csv_scan.h finds it.
struct ReferenceField {
  std::string text;
  bool quoted = false;
};

struct ReferenceRecord {
  std::vector<ReferenceField> fields;
  bool bad = false;  ///< Text behind a closing quote, or a quoted field that does not end.
  size_t begin = 0;
  size_t end = 0;      ///< Behind its line end.
  bool ended = false;  ///< It has one.
};

/// Reads a whole text character by character; for tests of what is faster.
inline std::vector<ReferenceRecord> ReadAll(const Dialect& dialect, std::string_view text) {
  std::vector<ReferenceRecord> records;
  size_t at = 0;
  const auto is = [&](char meaning) {
    return meaning != '\0' && at < text.size() && text[at] == meaning;
  };
  const auto take = [&](std::string& out) {
    at += is(dialect.escape) && at + 1 < text.size() ? 1 : 0;
    out += text[at++];
  };
  const auto take_unquoted = [&](std::string& out) {
    bool plain_return = false;
    while (at < text.size() && !is(dialect.delimiter) && !is('\n')) {
      plain_return = is('\r');
      take(out);
    }
    const bool ends_record = at == text.size() || is('\n');
    if (ends_record && plain_return) {
      out.pop_back();
    }
  };
  while (at < text.size()) {
    ReferenceRecord record;
    record.begin = at;
    while (true) {
      ReferenceField field;
      if (is(dialect.quote)) {
        field.quoted = true;
        ++at;
        while (at < text.size() &&
               (!is(dialect.quote) || (at + 1 < text.size() && text[at + 1] == dialect.quote))) {
          at += is(dialect.quote) ? 1 : 0;
          take(field.text);
        }
        record.bad = record.bad || at == text.size();
        at += at < text.size() ? 1 : 0;
        std::string rest;
        take_unquoted(rest);
        record.bad = record.bad || !rest.empty();
      } else {
        take_unquoted(field.text);
      }
      record.fields.push_back(std::move(field));
      if (!is(dialect.delimiter)) {
        break;
      }
      ++at;
    }
    record.ended = at < text.size();
    at += record.ended ? 1 : 0;
    record.end = at;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace millrace::csv
