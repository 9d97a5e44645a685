#include "millrace/engine/query_rows.h"

#include <algorithm>
#include <utility>

#include "millrace/data/column_builder.h"
#include "millrace/data/value_order.h"

namespace millrace {

namespace {

uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

}  // namespace

QueryRows::QueryRows(const QueryDefinition& query, uint64_t rows_max)
    : query_(query), rows_max_(rows_max) {
  // One more than allowed tells that there are more.
  wanted_ = std::min(query.limit.value_or(std::numeric_limits<uint64_t>::max()),
                     SaturatingAdd(rows_max, 1));
  if (query.order.empty()) {
    skip_ = query.offset;
  } else if (wanted_ > 0) {
    wanted_ = SaturatingAdd(wanted_, query.offset);
  }
}

bool QueryRows::Before(const Row& a, const Row& b) const {
  for (const SortKey& key : query_.order) {
    const Value& left = a.values[key.column];
    const Value& right = b.values[key.column];
    if (left.is_null() != right.is_null()) {
      return left.is_null() == key.direction.nulls_first;
    }
    const int order = CompareValues(left, right);
    if (order != 0) {
      return key.direction.is_descending ? order > 0 : order < 0;
    }
  }
  return a.number < b.number;
}

size_t QueryRows::BytesOf(const Row& row) {
  size_t bytes = sizeof(Row) + row.values.size() * sizeof(Value);
  for (const Value& value : row.values) {
    if (const auto* text = std::get_if<std::string>(&value.variant())) {
      bytes += text->size();
    }
  }
  return bytes;
}

void QueryRows::AddRow(Row row) {
  row.number = next_number_++;
  const auto before = [this](const Row& a, const Row& b) { return Before(a, b); };
  const bool is_full = rows_.size() == wanted_;
  if (is_full && !Before(row, rows_.front())) {
    return;
  }
  bytes_ += BytesOf(row);
  rows_.push_back(std::move(row));
  if (query_.order.empty()) {
    return;
  }
  std::ranges::push_heap(rows_, before);
  if (is_full) {
    std::ranges::pop_heap(rows_, before);
    bytes_ -= BytesOf(rows_.back());
    rows_.pop_back();
  }
}

void QueryRows::Add(const Batch& batch) {
  for (size_t i = 0; i < batch.rows() && wanted_ > 0 && !is_complete(); ++i) {
    auto repeats = static_cast<uint64_t>(std::max(batch.Weight(i), 0));
    const uint64_t skipped = std::min(repeats, skip_);
    skip_ -= skipped;
    repeats -= skipped;
    if (repeats == 0) {
      continue;
    }
    Row row;
    row.values.reserve(batch.columns().size());
    for (const Column& column : batch.columns()) {
      row.values.push_back(ValueAt(column, i));
    }
    for (uint64_t n = 0; n < std::min(repeats, wanted_) && !is_complete(); ++n) {
      AddRow(row);
    }
  }
}

QueryRows::Result QueryRows::Take() {
  std::vector<Row> rows = std::exchange(rows_, {});
  bytes_ = 0;
  size_t first = 0;
  if (!query_.order.empty()) {
    std::ranges::sort(rows, [this](const Row& a, const Row& b) { return Before(a, b); });
    first = std::min<uint64_t>(query_.offset, rows.size());
  }
  Result result{.rows = nullptr, .is_truncated = rows.size() - first > rows_max_};
  const size_t count = std::min<uint64_t>(rows.size() - first, rows_max_);
  std::vector<Field> fields;
  std::vector<Column> columns;
  for (size_t column = 0; column < query_.columns; ++column) {
    fields.push_back(query_.plan->schema->field(column));
    ColumnBuilder builder(fields.back().type);
    for (size_t row = first; row < first + count; ++row) {
      AppendValue(builder, rows[row].values[column]);
    }
    columns.push_back(builder.Finish());
  }
  result.rows = Batch::Make(MakeSchema(std::move(fields)), std::move(columns), count);
  return result;
}

}  // namespace millrace
