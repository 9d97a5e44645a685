#pragma once

#include "millrace/engine/keyed_rows.h"
#include "millrace/engine/operator.h"

namespace millrace {

/// Keeps the rows of a view, with how often each is there, where no other operator's state says
/// what they are; puts out what an epoch changes on the whole.
class RowsOperator final : public Operator {
 public:
  explicit RowsOperator(SchemaPtr schema);

  std::string_view name() const override { return "rows"; }
  std::vector<ValueShape> tables() const override { return {{.bytes = sizeof(int64_t)}}; }
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
};

}  // namespace millrace
