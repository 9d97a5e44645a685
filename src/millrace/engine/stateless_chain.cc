#include "millrace/engine/stateless_chain.h"

#include <algorithm>

#include "millrace/base/check.h"

namespace millrace {

namespace {

/// Whether every row is so far from both ends of time that its window lies between them.
bool FarFromEnds(const Column& times, Micros size) {
  if (times.null_count() > 0) {
    return false;
  }
  Micros first = kTimestampMax;
  Micros last = kTimestampMin;
  for (const Micros time : times.Values<Micros>()) {
    first = std::min(first, time);
    last = std::max(last, time);
  }
  return first - kTimestampMin >= size && kTimestampMax - last >= size;
}

/// Reports rows that are in no window: without a time, or where the window would reach beyond all
/// times.
void CheckWindows(const TumbleNode& tumble, const Batch& batch, RowErrors& errors) {
  const Column& times = batch.column(tumble.time_column);
  if (FarFromEnds(times, tumble.size)) {
    return;
  }
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    if (times.IsNull(row)) {
      errors.Add(row, ErrorCode::kRecordMissingColumn, "the event time of the window is NULL");
      continue;
    }
    const Micros start = TumbleStart(times.Values<Micros>()[row], tumble.size, tumble.origin);
    if (start < kTimestampMin || start + tumble.size > kTimestampMax) {
      errors.Add(row, ErrorCode::kDatetimeOutOfRange,
                 "the window is out of the range of timestamps");
    }
  }
}

}  // namespace

void StatelessChain::Add(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kFilter:
      steps_.emplace_back(Filter{.predicate = Evaluator(node.filter.predicate)});
      return;
    case PlanNode::Kind::kProject:
      steps_.emplace_back(
          Project{.schema = node.schema, .expressions = Evaluator(node.project.expressions)});
      return;
    case PlanNode::Kind::kTumble:
      steps_.emplace_back(Tumble{.schema = node.schema, .node = node.tumble});
      return;
    case PlanNode::Kind::kScan:
    case PlanNode::Kind::kAggregate:
      break;
  }
  MR_CHECK(false, "not a stateless node");
}

void StatelessChain::AddSelect(std::vector<size_t> columns, SchemaPtr schema) {
  steps_.emplace_back(Select{.columns = std::move(columns), .schema = std::move(schema)});
}

BatchPtr StatelessChain::Process(BatchPtr batch, RowReport& report) const {
  for (const Step& step : steps_) {
    if (batch == nullptr) {
      return nullptr;
    }
    batch = std::visit([&](const auto& s) { return Run(s, std::move(batch), report); }, step);
  }
  return batch;
}

BatchPtr StatelessChain::Run(const Filter& filter, BatchPtr batch, RowReport& report) {
  RowErrors errors;
  const std::vector<uint32_t> selected = filter.predicate.EvaluatePredicate(*batch, errors);
  size_t failed = 0;
  if (!errors.empty()) {
    const uint64_t before = report.counts.failed;
    report.Failed(batch, "filter", errors);
    failed = report.counts.failed - before;
  }
  report.counts.filtered += batch->rows() - selected.size() - failed;
  if (selected.empty()) {
    return nullptr;
  }
  return selected.size() == batch->rows() ? batch : GatherRows(*batch, selected);
}

BatchPtr StatelessChain::Run(const Project& project, BatchPtr batch, RowReport& report) {
  RowErrors errors;
  std::vector<Column> columns = project.expressions.EvaluateAll(*batch, errors);
  if (!errors.empty()) {
    batch = report.Failed(batch, "project", errors);
    if (batch == nullptr) {
      return nullptr;
    }
    RowErrors none;
    columns = project.expressions.EvaluateAll(*batch, none);
  }
  return Batch::Make(project.schema, std::move(columns), batch->rows(), batch->extras());
}

BatchPtr StatelessChain::Run(const Tumble& tumble, BatchPtr batch, RowReport& report) {
  RowErrors errors;
  CheckWindows(tumble.node, *batch, errors);
  batch = report.Failed(batch, "window", errors);
  if (batch == nullptr) {
    return nullptr;
  }
  const auto times = batch->column(tumble.node.time_column).Values<Micros>();
  std::vector<Micros> starts(times.size());
  std::vector<Micros> ends(times.size());
  // Most rows are in the window of the row before: a comparison is cheaper than a division.
  Micros start = TumbleStart(times.front(), tumble.node.size, tumble.node.origin);
  for (size_t row = 0; row < times.size(); ++row) {
    if (times[row] < start || times[row] - start >= tumble.node.size) {
      start = TumbleStart(times[row], tumble.node.size, tumble.node.origin);
    }
    starts[row] = start;
    ends[row] = start + tumble.node.size;
  }
  std::vector<Column> columns = batch->columns();
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  columns.emplace_back(type, batch->rows(), nullptr, Buffer::Own(std::move(starts)));
  columns.emplace_back(type, batch->rows(), nullptr, Buffer::Own(std::move(ends)));
  return Batch::Make(tumble.schema, std::move(columns), batch->rows(), batch->extras());
}

BatchPtr StatelessChain::Run(const Select& select, BatchPtr batch, RowReport&) {
  std::vector<Column> columns;
  columns.reserve(select.columns.size());
  for (const size_t column : select.columns) {
    columns.push_back(batch->column(column));
  }
  return Batch::Make(select.schema, std::move(columns), batch->rows(), batch->extras());
}

}  // namespace millrace
