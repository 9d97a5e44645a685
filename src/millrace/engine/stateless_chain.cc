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
void CheckWindows(const WindowNode& window, const Batch& batch, RowErrors& errors) {
  const Column& times = batch.column(window.time_column);
  if (FarFromEnds(times, window.size)) {
    return;
  }
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    if (times.IsNull(row)) {
      errors.Add(row, ErrorCode::kRecordMissingColumn, "the event time of the window is NULL");
      continue;
    }
    const Micros time = times.Values<Micros>()[row];
    const Micros last = WindowStart(time, window.slide, window.origin);
    const Micros first = last - (window.size - window.slide);
    if (first < kTimestampMin || last + window.size > kTimestampMax) {
      errors.Add(row, ErrorCode::kDatetimeOutOfRange,
                 "the window is out of the range of timestamps");
    }
  }
}

/// Windows of rows: for each, in order, which row and where it starts.
struct Windows {
  std::vector<uint32_t> rows;  // Empty: one window for each row.
  std::vector<Micros> starts;
};

Windows FindTumbling(std::span<const Micros> times, const WindowNode& window) {
  Windows found;
  found.starts.resize(times.size());
  // Most rows are in the window of the row before: a comparison is cheaper than a division.
  Micros start = WindowStart(times.front(), window.size, window.origin);
  for (size_t row = 0; row < times.size(); ++row) {
    if (times[row] < start || times[row] - start >= window.size) {
      start = WindowStart(times[row], window.size, window.origin);
    }
    found.starts[row] = start;
  }
  return found;
}

Windows FindHopping(std::span<const Micros> times, const WindowNode& window) {
  Windows found;
  const auto per_row = static_cast<size_t>(window.size / window.slide + 1);
  found.rows.reserve(times.size() * per_row);
  found.starts.reserve(times.size() * per_row);
  for (uint32_t row = 0; row < times.size(); ++row) {
    const Micros last = WindowStart(times[row], window.slide, window.origin);
    for (Micros start = last; start > times[row] - window.size; start -= window.slide) {
      found.rows.push_back(row);
      found.starts.push_back(start);
    }
  }
  return found;
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
    case PlanNode::Kind::kWindow:
      steps_.emplace_back(Window{.schema = node.schema, .node = node.window});
      return;
    default:
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

BatchPtr StatelessChain::Run(const Filter& filter, const BatchPtr& batch, RowReport& report) {
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

BatchPtr StatelessChain::Run(const Window& window, BatchPtr batch, RowReport& report) {
  RowErrors errors;
  CheckWindows(window.node, *batch, errors);
  batch = report.Failed(batch, "window", errors);
  if (batch == nullptr) {
    return nullptr;
  }
  const auto times = batch->column(window.node.time_column).Values<Micros>();
  const bool hops = window.node.slide != window.node.size;
  Windows windows = hops ? FindHopping(times, window.node) : FindTumbling(times, window.node);
  if (hops) {
    report.counts.in += windows.rows.size() - batch->rows();
    batch = GatherRows(*batch, windows.rows);
  }
  std::vector<Micros> ends(windows.starts.size());
  std::ranges::transform(windows.starts, ends.begin(),
                         [&](Micros start) { return start + window.node.size; });
  std::vector<Column> columns = batch->columns();
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  columns.emplace_back(type, batch->rows(), nullptr, Buffer::Own(std::move(windows.starts)));
  columns.emplace_back(type, batch->rows(), nullptr, Buffer::Own(std::move(ends)));
  return Batch::Make(window.schema, std::move(columns), batch->rows(), batch->extras());
}

BatchPtr StatelessChain::Run(const Select& select, const BatchPtr& batch, RowReport&) {
  std::vector<Column> columns;
  columns.reserve(select.columns.size());
  for (const size_t column : select.columns) {
    columns.push_back(batch->column(column));
  }
  return Batch::Make(select.schema, std::move(columns), batch->rows(), batch->extras());
}

}  // namespace millrace
