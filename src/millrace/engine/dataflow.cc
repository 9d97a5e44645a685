#include "millrace/engine/dataflow.h"

#include <algorithm>
#include <utility>

namespace millrace {

Dataflow::Dataflow(const PipelinePlan& plan, std::span<const uint32_t> source_partitions,
                   PipelineState& state, const Clock& clock, WorkerPool& workers,
                   size_t batch_rows_max)
    : plan_(plan),
      state_(state),
      clock_(clock),
      workers_(workers),
      batch_rows_max_(batch_rows_max),
      operator_tasks_(plan.operators.size()),
      legs_(plan.legs.size()),
      legs_from_input_(plan.inputs.size()),
      legs_from_operator_(plan.operators.size()),
      inputs_(plan.operators.size()),
      input_times_(plan.inputs.size()),
      operator_times_(plan.operators.size()) {
  effort_.operators.resize(plan.operators.size());
  effort_.operator_rows.resize(plan.operators.size());
  for (size_t input = 0; input < plan.inputs.size(); ++input) {
    for (uint32_t p = 0; p < source_partitions[input]; ++p) {
      SourceTask& task = source_tasks_.emplace_back();
      task.input = input;
      task.partition = p;
    }
  }
  for (auto& tasks : operator_tasks_) {
    tasks = std::vector<OperatorTask>(state.partitions());
  }
  for (size_t i = 0; i < plan.legs.size(); ++i) {
    const PipelineLeg& leg = plan.legs[i];
    const bool is_source = leg.input != PipelineLeg::kNone;
    (is_source ? legs_from_input_[leg.input] : legs_from_operator_[leg.from_operator]).push_back(i);
    const size_t tasks = is_source ? source_partitions[leg.input] : state.partitions();
    legs_[i].output.resize(tasks);
    legs_[i].closed.resize(tasks);
    if (leg.to_operator == PipelineLeg::kNone) {
      continue;
    }
    auto& ports = inputs_[leg.to_operator];
    ports.resize(std::max(ports.size(), leg.port + 1));
    for (size_t task = 0; task < tasks; ++task) {
      legs_[i].buffers.push_back(plan.operators[leg.to_operator]->MakeBuffer(leg.port));
      ports[leg.port].push_back(legs_[i].buffers.back().get());
    }
  }
}

Status Dataflow::Run(std::span<const InputTime> inputs, bool on_many_threads) {
  std::ranges::copy(inputs, input_times_.begin());
  auto begun = clock_.Monotonic();
  const auto lap = [&] {
    const auto now = clock_.Monotonic();
    return now - std::exchange(begun, now);
  };
  RunTasks(source_tasks_.size(), on_many_threads,
           [this](size_t i) { RunSource(source_tasks_[i]); });
  for (const SourceTask& task : source_tasks_) {
    if (task.error) {
      return Err(*task.error);
    }
  }
  effort_.sources += lap();
  for (size_t op = 0; op < plan_.operators.size(); ++op) {
    const Operator& each = *plan_.operators[op];
    InputTime time = Earliest(
        op, [&](size_t port, Micros watermark) { return each.FirstOpen(port, watermark); });
    time.watermark = std::max(time.watermark, state_.progress.operator_watermarks[op]);
    state_.progress.operator_watermarks[op] = time.watermark;
    operator_times_[op] = time;
    RunTasks(state_.partitions(), on_many_threads,
             [&](size_t partition) { RunOperator(op, static_cast<uint32_t>(partition)); });
    for (const OperatorTask& task : operator_tasks_[op]) {
      if (task.error) {
        return Err(*task.error);
      }
      for (const BatchPtr& rows : task.output.rows) {
        effort_.operator_rows[op] += rows->rows();
      }
    }
    effort_.operators[op] += lap();
  }
  output_time_ = Earliest(PipelineLeg::kNone, [](size_t, Micros watermark) { return watermark; });
  return {};
}

void Dataflow::RunTasks(size_t count, bool on_many_threads,
                        const std::function<void(size_t)>& task) {
  if (on_many_threads) {
    workers_.ForEach(count, task);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    task(i);
  }
}

Dataflow::InputTime Dataflow::TimeOf(const PipelineLeg& leg) const {
  return leg.input != PipelineLeg::kNone ? input_times_[leg.input]
                                         : operator_times_[leg.from_operator];
}

Dataflow::InputTime Dataflow::Earliest(
    size_t to_operator, const std::function<Micros(size_t, Micros)>& boundary) const {
  Micros active = kMicrosMax;
  bool any_active = false;
  for (const PipelineLeg& leg : plan_.legs) {
    if (const InputTime time = TimeOf(leg); leg.to_operator == to_operator && !time.idle) {
      active = std::min(active, time.watermark);
      any_active = true;
    }
  }
  if (!any_active) {
    return {};
  }
  InputTime earliest{.watermark = kMicrosMax, .idle = false};
  for (const PipelineLeg& leg : plan_.legs) {
    if (leg.to_operator != to_operator) {
      continue;
    }
    InputTime time = TimeOf(leg);
    if (time.idle && active != kMicrosMax) {
      time.watermark = std::max(time.watermark, active);
    }
    earliest.watermark = std::min(earliest.watermark, boundary(leg.port, time.watermark));
  }
  return earliest;
}

std::optional<Error> Dataflow::ReasonToStop() const {
  const Status status = check_ == nullptr ? Status() : (*check_)(0);
  return status ? std::nullopt : std::optional(status.error());
}

void Dataflow::RunSource(SourceTask& task) {
  task.error.reset();
  const std::vector<size_t>& legs = legs_from_input_[task.input];
  task.report.emplace(clock_.WallMicros());
  for (const size_t leg : legs) {
    legs_[leg].output[task.partition].clear();
    if (!legs_[leg].buffers.empty()) {
      legs_[leg].buffers[task.partition]->Start(FirstOpenOf(plan_.legs[leg].to_operator));
    }
  }
  for (SourcePartition::Piece& piece : task.slice.pieces) {
    task.report->counts.in += piece.rows->rows() * legs.size();
    task.report->SetSource(task.partition, std::move(piece.original), piece.begin);
    for (const BatchPtr& part : SplitBatch(piece.rows, batch_rows_max_)) {
      if (task.error = ReasonToStop(); task.error) {
        return;
      }
      for (const size_t leg : legs) {
        Send(leg, task.partition, part, *task.report);
      }
    }
    piece.rows.reset();
  }
  task.slice.pieces.clear();
  task.report->SetSource(task.partition, nullptr, Offset());
  for (const size_t leg : legs) {
    if (!legs_[leg].buffers.empty()) {
      legs_[leg].buffers[task.partition]->Partition(static_cast<uint32_t>(state_.partitions()));
    }
  }
}

void Dataflow::Send(size_t leg, uint32_t task, const BatchPtr& batch, RowReport& report) {
  const BatchPtr rows = plan_.legs[leg].chain.Process(batch, report);
  if (rows == nullptr) {
    return;
  }
  if (!legs_[leg].buffers.empty()) {
    legs_[leg].buffers[task]->Add(rows, report);
  } else {
    report.counts.accepted += rows->rows();
    legs_[leg].output[task].push_back(rows);
  }
}

void Dataflow::RunOperator(size_t op, uint32_t partition) {
  const Operator& each = *plan_.operators[op];
  OperatorTask& task = operator_tasks_[op][partition];
  task.report.emplace(clock_.WallMicros());
  task.output = {};
  task.error.reset();
  const std::vector<KeyedState*> tables = state_.TablesOf(op, partition);
  const auto run = each.Run({.partition = partition,
                             .partitions = static_cast<uint32_t>(state_.partitions()),
                             .tables = tables,
                             .inputs = inputs_[op],
                             .first_open = state_.progress.operator_watermarks[op],
                             .is_first_epoch = !state_.progress.started,
                             .inputs_ended = inputs_ended_,
                             .wants_closed = op == plan_.rows_operator,
                             .check = check_},
                            *task.report, task.output);
  if (!run) {
    task.error = run.error();
    return;
  }
  RowReport ignored(0);
  for (const size_t leg : legs_from_operator_[op]) {
    LegTasks& tasks = legs_[leg];
    tasks.output[partition].clear();
    tasks.closed[partition].clear();
    if (!tasks.buffers.empty()) {
      tasks.buffers[partition]->Start(FirstOpenOf(plan_.legs[leg].to_operator));
    }
    for (const BatchPtr& rows : task.output.rows) {
      if (task.error = ReasonToStop(); task.error) {
        return;
      }
      Send(leg, partition, rows, *task.report);
    }
    for (const BatchPtr& rows : task.output.closed) {
      if (BatchPtr closed = plan_.legs[leg].chain.Process(rows, ignored)) {
        tasks.closed[partition].push_back(std::move(closed));
      }
    }
    if (!tasks.buffers.empty()) {
      tasks.buffers[partition]->Partition(static_cast<uint32_t>(state_.partitions()));
    }
  }
}

void Dataflow::VisitOutput(
    const std::function<void(uint32_t, std::span<const BatchPtr>)>& visit) const {
  for (size_t i = 0; i < legs_.size(); ++i) {
    for (uint32_t task = 0; task < legs_[i].output.size(); ++task) {
      if (!legs_[i].output[task].empty()) {
        visit(task, legs_[i].output[task]);
      }
    }
  }
}

const Dataflow::LegTasks& Dataflow::RememberedLeg() const {
  return legs_[legs_from_operator_[plan_.rows_operator].front()];
}

void Dataflow::VisitReports(const std::function<void(const RowReport&)>& visit) const {
  for (const SourceTask& task : source_tasks_) {
    visit(*task.report);
  }
  for (const auto& tasks : operator_tasks_) {
    for (const OperatorTask& task : tasks) {
      visit(*task.report);
    }
  }
}

RowReport::Counts Dataflow::Counts() const {
  RowReport::Counts counts;
  for (const SourceTask& task : source_tasks_) {
    counts.Add(task.report->counts);
  }
  return counts;
}

Status Dataflow::VisitRemembered(uint32_t partition, const Operator::RowVisitor& visit) const {
  const size_t op = plan_.rows_operator;
  const StatelessChain& chain = plan_.legs[legs_from_operator_[op].front()].chain;
  RowReport ignored(0);
  return plan_.operators[op]->VisitRows(state_.TablesOf(op, partition), batch_rows_max_,
                                        [&](const BatchPtr& rows) {
                                          if (const BatchPtr out = chain.Process(rows, ignored)) {
                                            visit(out);
                                          }
                                        });
}

}  // namespace millrace
