#pragma once

#include "millrace/engine/keyed_rows.h"
#include "millrace/engine/operator.h"

namespace millrace {

/// Makes changes of a table with a primary key from its records: each takes the place of the row of
/// its key, in offset order, or deletes it.
class UpsertOperator final : public Operator {
 public:
  /// `node` is an upsert node.
  explicit UpsertOperator(const PlanNode& node);

  std::string_view name() const override { return "upsert"; }
  std::vector<ValueShape> tables() const override;
  std::unique_ptr<ExchangeBuffer> MakeBuffer(size_t port) const override;
  Status Run(const Task& task, RowReport& report, OperatorOutput& output) const override;
  Micros FirstOpen(size_t, Micros watermark) const override { return watermark; }
  bool forgets_rows() const override { return false; }
  bool remembers_rows() const override { return true; }
  Status VisitRows(std::span<KeyedState* const> tables, size_t batch_rows_max,
                   const RowVisitor& visit) const override;

 private:
  const SchemaPtr schema_;
  KeyedRows::Shape shape_;
  // Columns of the output.
  std::vector<size_t> key_columns_;
  std::vector<size_t> rest_columns_;
};

}  // namespace millrace
