#pragma once

#include <string>
#include <vector>

#include "millrace/data/batch.h"

namespace millrace {

/// Writes rows as JSON objects that JsonDecoder reads back: numbers as numbers (numeric with all
/// digits of its scale), NaN and infinities as strings, timestamps in RFC 3339, date, interval,
/// uuid and bytea as strings in PostgreSQL's form, jsonb as it is, NULL as null. No white space.
///
/// Made once per schema, with the keys escaped beforehand. Immutable and thread-safe.
class RowJsonWriter {
 public:
  explicit RowJsonWriter(const Schema& schema);

  /// Appends row `row` of a batch of the schema: {"a":1,"b":null}.
  void Append(const Batch& batch, size_t row, std::string& out) const;

 private:
  std::vector<std::string> keys_;  ///< With the bracket or comma before and the colon behind.
};

/// Appends the value at `row` as JSON.
void AppendValueJson(const Column& column, size_t row, std::string& out);

/// Appends one row; for many rows make a RowJsonWriter.
void AppendRowJson(const Batch& batch, size_t row, std::string& out);

}  // namespace millrace
