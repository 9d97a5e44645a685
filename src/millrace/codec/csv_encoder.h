#pragma once

#include <string>
#include <string_view>

#include "millrace/codec/csv_scan.h"
#include "millrace/data/batch.h"

namespace millrace {

/// Writes rows as records of CSV (RFC 4180) that CsvDecoder reads back to the same values, in
/// PostgreSQL's text forms. Records end with a line feed. Immutable; for batches of one schema.
class RowCsvWriter {
 public:
  /// `dialect` has a quote; its escape character is not used. NULL is `null_text`, and a value of
  /// that text is quoted.
  RowCsvWriter(const csv::Dialect& dialect, std::string null_text)
      : dialect_(dialect), null_text_(std::move(null_text)) {}

  /// Appends a record of the columns' names.
  void AppendHeader(const Schema& schema, std::string& out) const;
  void Append(const Batch& batch, size_t row, std::string& out) const;

  /// Appends one field, quoted where it must be. For records of the caller's own: delimiters and
  /// line ends are its business.
  void AppendField(std::string_view text, std::string& out) const;

 private:
  csv::Dialect dialect_;
  std::string null_text_;
};

}  // namespace millrace
