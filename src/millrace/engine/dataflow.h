#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/pipeline_state.h"
#include "millrace/engine/row_report.h"
#include "millrace/engine/source_partition.h"
#include "millrace/engine/worker_pool.h"

namespace millrace {

/// Runs a plan, one epoch at a time: a task for each source partition, then operator by operator a
/// task for each state partition. Knows nothing of commits. Used by one thread; the tasks run on
/// workers.
class Dataflow {
 public:
  /// How far an input has come in event time. An idle one holds back nobody: it is taken to be as
  /// far as the others, unless these have ended. Its rows are late when they turn out to be behind.
  struct InputTime {
    Micros watermark = kMicrosMin;
    bool idle = true;
  };

  /// `source_partitions`: how many partitions each input has. All references outlive it.
  Dataflow(const PipelinePlan& plan, std::span<const uint32_t> source_partitions,
           PipelineState& state, const Clock& clock, WorkerPool& workers, size_t batch_rows_max);

  /// Lets operators ask whether to go on; outlives it.
  void SetCheck(const WorkCheck* check) { check_ = check; }

  /// From now on nothing more comes, whatever the watermarks say: rows that wait come out.
  void EndInputs() { inputs_ended_ = true; }

  /// What a source partition brings to the next epoch. Partitions of the first input come first.
  void SetSlice(size_t source, SourcePartition::Slice slice) {
    source_tasks_[source].slice = std::move(slice);
  }

  /// Runs an epoch that is open in the state, on several threads if it is worth that. `inputs` has
  /// one element for each input. Sets the operators' watermarks in the state. Errors: kCorruption,
  /// those of the check.
  Status Run(std::span<const InputTime> inputs, bool on_many_threads);

  /// What all Runs so far have cost.
  struct Effort {
    std::chrono::nanoseconds sources{0};
    std::vector<std::chrono::nanoseconds> operators;
    std::vector<uint64_t> operator_rows;  ///< Put out.
  };
  const Effort& effort() const { return effort_; }

  // Of the last Run:

  /// Calls `visit` with the view's rows, and the number, from 0, of the task that they come from.
  void VisitOutput(
      const std::function<void(uint32_t task, std::span<const BatchPtr>)>& visit) const;
  /// By state partition, the view's rows of the operator that remembers them. Only where the plan
  /// has such an operator, as the next two.
  std::span<const std::vector<BatchPtr>> remembered() const { return RememberedLeg().output; }
  /// By state partition, what that operator has forgotten, as rows of the view.
  std::span<const std::vector<BatchPtr>> closed() const { return RememberedLeg().closed; }
  /// Calls `visit` with all rows that the state of a partition says are in the view.
  Status VisitRemembered(uint32_t partition, const Operator::RowVisitor& visit) const;

  void VisitReports(const std::function<void(const RowReport&)>& visit) const;
  /// Of what the source tasks have taken in; rows count once for each leg that they take.
  RowReport::Counts Counts() const;
  /// How far the view's rows have come.
  InputTime OutputTime() const { return output_time_; }

 private:
  struct SourceTask {
    size_t input = 0;
    uint32_t partition = 0;
    SourcePartition::Slice slice;
    std::optional<RowReport> report;
    std::optional<Error> error;
  };
  struct OperatorTask {
    std::optional<RowReport> report;
    OperatorOutput output;
    std::optional<Error> error;
  };
  /// A leg's tasks: what it hands over to an operator, or to the view.
  struct LegTasks {
    std::vector<std::unique_ptr<ExchangeBuffer>> buffers;
    std::vector<std::vector<BatchPtr>> output;
    std::vector<std::vector<BatchPtr>> closed;
  };

  void RunTasks(size_t count, bool on_many_threads, const std::function<void(size_t)>& task);
  /// What an operator has not forgotten, as of before it runs in this epoch.
  Micros FirstOpenOf(size_t op) const { return state_.progress.operator_watermarks[op]; }
  /// What the check says; asked before each batch.
  std::optional<Error> ReasonToStop() const;
  void RunSource(SourceTask& task);
  void RunOperator(size_t op, uint32_t partition);
  /// Sends rows of a task down a leg.
  void Send(size_t leg, uint32_t task, const BatchPtr& batch, RowReport& report);
  InputTime TimeOf(const PipelineLeg& leg) const;
  /// The earliest of the legs to an operator (or to the view) that are not idle, each as
  /// `boundary(port, watermark)`.
  InputTime Earliest(size_t to_operator,
                     const std::function<Micros(size_t port, Micros watermark)>& boundary) const;
  const LegTasks& RememberedLeg() const;

  const PipelinePlan& plan_;
  PipelineState& state_;
  const Clock& clock_;
  WorkerPool& workers_;
  const size_t batch_rows_max_;
  std::vector<SourceTask> source_tasks_;
  std::vector<std::vector<OperatorTask>> operator_tasks_;
  std::vector<LegTasks> legs_;
  std::vector<std::vector<size_t>> legs_from_input_;
  std::vector<std::vector<size_t>> legs_from_operator_;
  /// By operator and port.
  std::vector<std::vector<std::vector<const ExchangeBuffer*>>> inputs_;
  std::vector<InputTime> input_times_;
  std::vector<InputTime> operator_times_;
  InputTime output_time_;
  const WorkCheck* check_ = nullptr;
  bool inputs_ended_ = false;
  Effort effort_;
};

}  // namespace millrace
