#include "millrace/cli/sql_result.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "millrace/cli/column_type.h"
#include "millrace/cli/listing.h"
#include "millrace/cli/text_table.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"

namespace millrace {

namespace {

// Quotes in names and values are escaped, so these stand nowhere else.
constexpr std::string_view kRowsKey = "],\"rows\":[";
constexpr std::string_view kTruncatedKey = "],\"truncated\":";

struct ColumnInfo {
  std::string name;
  std::string type;
};

struct Answer {
  std::vector<ColumnInfo> columns;
  BatchPtr rows;  ///< Each value as the JSON that it is; null without rows.
  bool is_truncated = false;
};

std::unexpected<Error> NotOurs() {
  return Err(ErrorCode::kServerUnreachable, "the server's answer is not Millrace's");
}

Result<Answer> Parse(std::string_view text) {
  const size_t rows_at = text.find(kRowsKey);
  const size_t end = text.rfind(kTruncatedKey);
  if (rows_at == std::string_view::npos || end == std::string_view::npos || end < rows_at) {
    return NotOurs();
  }
  boost::system::error_code failed;
  const std::string head = std::string(text.substr(0, rows_at)) + "]}";
  const auto json = boost::json::parse(head, failed);
  const auto* object = failed ? nullptr : json.if_object();
  const auto* columns = object == nullptr ? nullptr : object->if_contains("columns");
  if (columns == nullptr || !columns->is_array()) {
    return NotOurs();
  }
  Answer answer{.columns = {},
                .rows = nullptr,
                .is_truncated = text.substr(end + kTruncatedKey.size()).starts_with("true")};
  std::vector<Field> fields;
  for (const auto& column : columns->get_array()) {
    const auto* described = column.if_object();
    if (described == nullptr) {
      return NotOurs();
    }
    answer.columns.push_back({TextOf(*described, "name"), TextOf(*described, "type")});
    fields.push_back(
        {.name = answer.columns.back().name, .type = JsonColumnType(answer.columns.back().type)});
  }
  const size_t begin = rows_at + kRowsKey.size() - 1;
  JsonDecoder decoder(MakeSchema(std::move(fields)),
                      {.framing = JsonFraming::kDocument, .record_bytes_max = SIZE_MAX});
  DecodedRecords records;
  decoder.Decode(PaddedBuffer(text.substr(begin, end + 1 - begin)), records);
  if (!records.errors.empty()) {
    return NotOurs();
  }
  answer.rows = records.batch;
  return answer;
}

/// A JSON text without its quotes; other values as they are.
std::string Plain(const Column& column, size_t row, const ColumnInfo& info) {
  std::string text;
  AppendValueJson(column, row, text);
  if (info.type == "jsonb" || !text.starts_with('"')) {
    return text;
  }
  boost::system::error_code failed;
  const auto value = boost::json::parse(text, failed);
  const auto* string = failed ? nullptr : value.if_string();
  return string == nullptr ? text : std::string(string->data(), string->size());
}

/// Line ends and tabs would break the table.
std::string OnOneLine(std::string text) {
  const auto replace = [&](char from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
      text.replace(at, 1, to);
      at += to.size();
    }
  };
  replace('\n', "\\n");
  replace('\r', "\\r");
  replace('\t', "\\t");
  return text;
}

std::string Csv(const std::string& text) {
  const bool is_quoted = text.empty() || text.find_first_of(",\"\r\n") != std::string::npos;
  if (!is_quoted) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + '"';
}

std::string Table(const Answer& answer, size_t rows) {
  std::vector<std::string> header;
  header.reserve(answer.columns.size());
  for (const ColumnInfo& column : answer.columns) {
    header.push_back(OnOneLine(column.name));
  }
  TextTable table(std::move(header));
  for (size_t row = 0; row < rows; ++row) {
    std::vector<std::string> cells;
    for (size_t i = 0; i < answer.columns.size(); ++i) {
      const Column& column = answer.rows->column(i);
      cells.push_back(column.IsNull(row) ? "NULL"
                                         : OnOneLine(Plain(column, row, answer.columns[i])));
    }
    table.Add(std::move(cells));
  }
  return fmt::format("{}({}{} row{})\n", table.ToString(), answer.is_truncated ? "first " : "",
                     rows, rows == 1 ? "" : "s");
}

std::string CsvText(const Answer& answer, size_t rows) {
  std::string text;
  for (size_t i = 0; i < answer.columns.size(); ++i) {
    text += (i == 0 ? "" : ",") + Csv(answer.columns[i].name);
  }
  text += "\r\n";
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < answer.columns.size(); ++i) {
      const Column& column = answer.rows->column(i);
      text += i == 0 ? "" : ",";
      text += column.IsNull(row) ? "" : Csv(Plain(column, row, answer.columns[i]));
    }
    text += "\r\n";
  }
  return text;
}

std::string JsonLines(const Answer& answer, size_t rows) {
  std::string text;
  for (size_t row = 0; row < rows; ++row) {
    AppendRowJson(*answer.rows, row, text);
    text += '\n';
  }
  return text;
}

}  // namespace

Result<std::string> FormatSqlAnswer(std::string_view text, SqlFormat format) {
  MR_ASSIGN(const Answer answer, Parse(text));
  const size_t rows = answer.rows == nullptr ? 0 : answer.rows->rows();
  switch (format) {
    case SqlFormat::kTable:
      return Table(answer, rows);
    case SqlFormat::kCsv:
      return CsvText(answer, rows);
    case SqlFormat::kJson:
      return JsonLines(answer, rows);
  }
  return std::string();
}

std::string FormatSqlError(const Error& error, std::string_view sql) {
  std::string text = error.ToString() + "\n";
  std::string_view message = error.message();
  const auto take = [&](std::string_view word) -> size_t {
    size_t number = 0;
    if (!message.starts_with(word)) {
      return 0;
    }
    message.remove_prefix(word.size());
    const auto read = std::from_chars(message.data(), message.data() + message.size(), number);
    message.remove_prefix(static_cast<size_t>(read.ptr - message.data()));
    return number;
  };
  size_t line = take("line ");
  const size_t column = line == 0 ? 0 : take(", column ");
  if (column == 0) {
    return text;
  }
  for (; line > 1 && sql.contains('\n'); --line) {
    sql.remove_prefix(sql.find('\n') + 1);
  }
  sql = sql.substr(0, sql.find('\n'));
  if (line > 1 || column > sql.size() + 1) {
    return text;
  }
  return text + fmt::format("  {}\n  {}^\n", sql, std::string(column - 1, ' '));
}

}  // namespace millrace
