#include "millrace/app/row_query.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "millrace/codec/json_encoder.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/row_encoding.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value_order.h"

namespace millrace {

namespace {

bool Holds(serve::FilterOperator operation, int order) {
  switch (operation) {
    case serve::FilterOperator::kEqual:
      return order == 0;
    case serve::FilterOperator::kNotEqual:
      return order != 0;
    case serve::FilterOperator::kLess:
      return order < 0;
    case serve::FilterOperator::kLessOrEqual:
      return order <= 0;
    case serve::FilterOperator::kGreater:
      return order > 0;
    case serve::FilterOperator::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

Result<size_t> FindColumn(const Schema& schema, const std::string& name) {
  if (const auto column = schema.Find(name)) {
    return *column;
  }
  return Err(ErrorCode::kSqlUnknownColumn, fmt::format("there is no column {}", name));
}

}  // namespace

Result<RowQuery> RowQuery::Make(const SchemaPtr& schema, const serve::ViewQuery& query) {
  RowQuery result(schema);
  result.limit_ = query.limit;
  for (const serve::ViewFilter& filter : query.filters) {
    MR_ASSIGN(const size_t column, FindColumn(*schema, filter.column));
    auto value = ParseValue(filter.text, schema->field(column).type);
    if (!value) {
      return Err(ErrorCode::kSqlInvalidLiteral,
                 fmt::format("filter on {}: {}", filter.column, value.error().message()));
    }
    result.filters_.push_back({column, filter.operation, *std::move(value)});
  }
  for (const serve::ViewOrder& order : query.order) {
    MR_ASSIGN(const size_t column, FindColumn(*schema, order.column));
    result.keys_.push_back({column, order.is_descending});
  }
  if (!query.cursor.empty()) {
    MR_TRY(result.ReadCursor(query.cursor));
  }
  return result;
}

bool RowQuery::Passes(const Batch& batch, size_t row) const {
  return std::ranges::all_of(filters_, [&](const Filter& filter) {
    const Value value = ValueAt(batch.column(filter.column), row);
    return !value.is_null() && Holds(filter.operation, CompareValues(value, filter.value));
  });
}

bool RowQuery::Before(const Row& a, const Row& b) const {
  for (const Key& key : keys_) {
    const int order = CompareValues(a[key.column], b[key.column]);
    if (order != 0) {
      return key.is_descending ? order > 0 : order < 0;
    }
  }
  for (size_t i = 0; i < a.size(); ++i) {
    const int order = CompareValues(a[i], b[i]);
    if (order != 0) {
      return order < 0;
    }
  }
  return false;
}

void RowQuery::Add(const Batch& batch, std::span<const int64_t> counts) {
  const auto before = [this](const Row& a, const Row& b) { return Before(a, b); };
  for (size_t i = 0; i < batch.rows(); ++i) {
    if (!Passes(batch, i)) {
      continue;
    }
    Row row;
    for (const Column& column : batch.columns()) {
      row.push_back(ValueAt(column, i));
    }
    int64_t repeats = counts.empty() ? 1 : counts[i];
    if (after_ && !Before(*after_, row)) {
      if (Before(row, *after_)) {
        continue;
      }
      const auto skipped = std::min(to_skip_, static_cast<uint64_t>(std::max<int64_t>(repeats, 0)));
      to_skip_ -= skipped;
      repeats -= static_cast<int64_t>(skipped);
    }
    for (int64_t n = 0; n < repeats && n <= static_cast<int64_t>(limit_); ++n) {
      if (rows_.size() > limit_ && !Before(row, rows_.front())) {
        break;
      }
      rows_.push_back(row);
      std::ranges::push_heap(rows_, before);
      if (rows_.size() > limit_ + 1) {
        std::ranges::pop_heap(rows_, before);
        rows_.pop_back();
      }
    }
  }
}

void RowQuery::AppendAnswer(std::string& out) const {
  std::vector<Row> sorted = rows_;
  std::ranges::sort(sorted, [this](const Row& a, const Row& b) { return Before(a, b); });
  const bool more = sorted.size() > limit_;
  sorted.resize(std::min(sorted.size(), limit_));
  std::vector<Column> columns;
  for (size_t i = 0; i < schema_->size(); ++i) {
    ColumnBuilder builder(schema_->field(i).type);
    for (const Row& row : sorted) {
      AppendValue(builder, row[i]);
    }
    columns.push_back(builder.Finish());
  }
  const BatchPtr batch = Batch::Make(schema_, std::move(columns), sorted.size());
  const RowJsonWriter writer(*schema_);
  out += "\"rows\":[";
  for (size_t row = 0; row < sorted.size(); ++row) {
    out += row == 0 ? "" : ",";
    writer.Append(*batch, row, out);
  }
  out += "],\"next_cursor\":";
  if (more && !sorted.empty()) {
    fmt::format_to(std::back_inserter(out), "\"{}\"", CursorOf(sorted));
  } else {
    out += "null";
  }
}

// A cursor is the last row of its page, encoded, and u64 how often it was given, in hexadecimal
// digits.

std::string RowQuery::CursorOf(std::span<const Row> rows) const {
  const Row& row = rows.back();
  auto given = static_cast<uint64_t>(
      std::ranges::count_if(rows, [&](const Row& each) { return IsSame(each, row); }));
  if (after_ && IsSame(*after_, row)) {
    given += given_;
  }
  std::string encoded;
  for (size_t i = 0; i < row.size(); ++i) {
    ColumnBuilder builder(schema_->field(i).type);
    AppendValue(builder, row[i]);
    AppendEncoded(builder.Finish(), 0, encoded);
  }
  encoded.append(reinterpret_cast<const char*>(&given), sizeof(given));
  std::string hex;
  AppendBytea(hex, encoded);
  return hex.substr(2);
}

Status RowQuery::ReadCursor(std::string_view cursor) {
  const auto invalid = Err(ErrorCode::kHttpBadRequest, "the cursor is not one of this view");
  std::string encoded;
  if (ScanBytea(fmt::format("\\x{}", cursor), encoded) != ScanOutcome::kOk) {
    return invalid;
  }
  Row row;
  std::string_view rest = encoded;
  for (const Field& field : schema_->fields()) {
    ColumnBuilder builder(field.type);
    if (!DecodeInto(&rest, builder)) {
      return invalid;
    }
    row.push_back(ValueAt(builder.Finish(), 0));
  }
  if (rest.size() != sizeof(given_)) {
    return invalid;
  }
  std::memcpy(&given_, rest.data(), sizeof(given_));
  to_skip_ = given_;
  after_ = std::move(row);
  return {};
}

}  // namespace millrace
