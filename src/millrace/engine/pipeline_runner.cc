#include "millrace/engine/pipeline_runner.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"
#include "millrace/engine/aggregate/group_output.h"

namespace millrace {

namespace {

/// An epoch costs per group and not only per row, so the next one lets rows gather until the last
/// one has taken at most one part in this of the time, but not longer than kEpochWaitMax.
constexpr int kEpochShare = 4;
constexpr std::chrono::nanoseconds kEpochWaitMax = std::chrono::milliseconds(50);

}  // namespace

PipelineRunner::PipelineRunner(std::unique_ptr<const PipelinePlan> plan, Transport& transport,
                               const Clock& clock, WorkerPool& workers, Options options,
                               std::function<void()> wake)
    : plan_(std::move(plan)),
      transport_(transport),
      clock_(clock),
      workers_(workers),
      options_(std::move(options)),
      wake_(std::move(wake)),
      reader_(fmt::format("view:{}", plan_->name)) {}

Result<std::unique_ptr<PipelineRunner>> PipelineRunner::Create(
    const ViewDefinition& view, const TableDefinition& source, Transport& transport,
    const Clock& clock, WorkerPool& workers, Options options, std::function<void()> wake) {
  MR_ASSIGN(auto plan, PipelinePlan::Make(view, source));
  const auto stream = transport.FindStream(source.name);
  if (!stream) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("stream {}", source.name));
  }
  std::unique_ptr<PipelineRunner> runner(new PipelineRunner(
      std::move(plan), transport, clock, workers, std::move(options), std::move(wake)));
  MR_TRY(runner->OpenStreams(*stream));
  MR_TRY(runner->Restore());
  runner->subscription_ = transport.Subscribe(stream->id, Visibility::kAppended, runner->wake_);
  return runner;
}

PipelineRunner::~PipelineRunner() {
  if (subscription_) {
    transport_.Unsubscribe(*subscription_);
  }
  MutexLock lock(mutex_);
  while (undecided_ > 0) {
    all_decided_.Wait(mutex_);
  }
}

Result<PipelineRunner::Progress> PipelineRunner::Step() {
  MR_TRY(HandleDecided());
  if (aborted_from_) {
    if (!in_flight_.empty()) {
      return Progress::kWaiting;
    }
    aborted_from_.reset();
  }
  if (in_flight_.size() >= static_cast<size_t>(options_.epochs_in_flight_max)) {
    return Progress::kWaiting;
  }
  const auto begin = clock_.Monotonic();
  if (!WorthAnEpoch(begin)) {
    return Progress::kWaiting;
  }
  Epoch epoch{.id = state_->last_epoch.Next(),
              .positions = {},
              .source_watermarks = state_->source_watermarks,
              .stage_watermark = state_->stage_watermark,
              .started = state_->started,
              .output = {}};
  for (const SourcePartition& source : sources_) {
    epoch.positions.push_back(source.position());
  }
  MR_ASSIGN(const bool any, ReadInputs());
  const bool start = plan_->group_by && plan_->group_by->has_single_group() && !state_->started;
  inputs_empty_ = !any;
  if (!any && !start) {
    return Progress::kWaiting;
  }
  in_flight_.push_back(std::move(epoch));
  state_->BeginEpoch(in_flight_.back().id);
  int64_t rows = 0;
  for (const SourceTask& source : source_tasks_) {
    rows += static_cast<int64_t>(source.slice.rows);
  }
  RunTasks(source_tasks_.size(), rows, [this](size_t p) { RunSourceTask(p); });
  state_->stage_watermark = StageWatermark();
  RunTasks(state_tasks_.size(), rows, [this](size_t p) { RunStateTask(p); });
  state_->started = true;
  MR_TRY(CommitEpoch());
  next_epoch_at_ = begin + std::min(kEpochShare * (clock_.Monotonic() - begin), kEpochWaitMax);
  return Progress::kWorked;
}

bool PipelineRunner::WorthAnEpoch(std::chrono::nanoseconds now) {
  next_step_.reset();
  if (now >= next_epoch_at_ && in_flight_.empty()) {
    return true;
  }
  int64_t rows = 0;
  for (uint32_t p = 0; p < sources_.size(); ++p) {
    rows +=
        transport_.Describe(streams_.source, PartitionId(p)).appended_end - sources_[p].position();
  }
  if (rows >= options_.large_epoch_rows) {
    return true;
  }
  if (now < next_epoch_at_) {
    next_step_ = next_epoch_at_;
    return false;
  }
  return rows <= options_.small_epoch_rows;
}

void PipelineRunner::RunTasks(size_t count, int64_t rows, const std::function<void(size_t)>& task) {
  if (rows > options_.small_epoch_rows) {
    workers_.ForEach(count, task);
    return;
  }
  // Waking other threads would take longer.
  for (size_t i = 0; i < count; ++i) {
    task(i);
  }
}

Result<bool> PipelineRunner::ReadInputs() {
  // All ends are taken before anything is read: a partition counts as idle only as of them.
  for (uint32_t p = 0; p < sources_.size(); ++p) {
    input_ends_[p] = transport_.Describe(streams_.source, PartitionId(p)).appended_end;
  }
  const size_t bytes_each = std::max<size_t>(1, options_.epoch_bytes_max / sources_.size());
  bool any = false;
  for (size_t p = 0; p < sources_.size(); ++p) {
    MR_ASSIGN(source_tasks_[p].slice, sources_[p].Poll(input_ends_[p], bytes_each));
    any = any || source_tasks_[p].slice.any;
    state_->source_watermarks[p] = sources_[p].watermark();
  }
  return any;
}

Micros PipelineRunner::StageWatermark() const {
  Micros watermark = kMicrosMax;
  bool any = false;
  for (size_t p = 0; p < sources_.size(); ++p) {
    const PartitionWatermark& partition = sources_[p].watermark();
    const bool behind = sources_[p].position() < input_ends_[p];
    if (!partition.idle || behind) {
      any = true;
      const Micros own = partition.Get(plan_->watermark_delay);
      watermark = MR_PLANTED(WindowsClosedTooEarly) ? own : std::min(watermark, own);
    }
  }
  return any ? std::max(watermark, state_->stage_watermark) : state_->stage_watermark;
}

void PipelineRunner::RunSourceTask(size_t partition) {
  SourceTask& task = source_tasks_[partition];
  task.report.emplace(clock_.WallMicros());
  task.report->SetPartition(static_cast<uint32_t>(partition));
  task.output.clear();
  if (task.groups != nullptr) {
    task.groups->Clear();
  }
  for (BatchPtr& whole : task.slice.batches) {
    task.report->counts.in += whole->rows();
    for (const BatchPtr& piece : SplitBatch(whole, options_.batch_rows_max)) {
      const BatchPtr rows = plan_->before.Process(piece, *task.report);
      if (rows == nullptr) {
        continue;
      }
      if (task.groups != nullptr) {
        task.groups->Add(rows, *task.report);
      } else {
        task.report->counts.accepted += rows->rows();
        task.output.push_back(rows);
      }
    }
    whole.reset();
  }
  task.slice.batches.clear();
  if (task.groups != nullptr) {
    task.groups->Partition(static_cast<uint32_t>(state_tasks_.size()));
  }
}

void PipelineRunner::RunStateTask(size_t partition) {
  StateTask& task = state_tasks_[partition];
  task.report.emplace(clock_.WallMicros());
  task.output.clear();
  task.closed.clear();
  KeyedState& state = state_->partition(partition);
  const AggregateLayout& layout = plan_->group_by->layout();
  const auto count = static_cast<uint32_t>(state_tasks_.size());
  for (const SourceTask& source : source_tasks_) {
    source.groups->VisitPartition(
        static_cast<uint32_t>(partition),
        [&](Micros bucket, std::string_view key, uint64_t hash, const std::byte* value) {
          layout.Merge(state.Touch(bucket, key, hash), value);
        });
  }
  const uint64_t empty_hash = HashEncoded({});
  if (plan_->group_by->has_single_group() && !state_->started &&
      PartitionOfHash(empty_hash, count) == partition) {
    state.Touch(KeyedState::kOnlyBucket, {}, empty_hash);
  }
  if (auto put_out = AggregateOutput(state, task); !put_out) {
    task.error = put_out.error();
  }
}

Status PipelineRunner::AggregateOutput(KeyedState& state, StateTask& task) {
  const GroupBy& group_by = *plan_->group_by;
  const bool is_final = plan_->emit == EmitMode::kFinal;
  const Micros first_open = group_by.FirstOpenBucket(state_->stage_watermark);
  GroupOutput output(group_by);
  RowReport ignored(0);
  if (is_final) {
    MR_TRY(state.Visit(kMicrosMin, first_open,
                       [&](Micros bucket, std::string_view key, const std::byte* value) {
                         return output.Add(bucket, key, value, 1, *task.report);
                       }));
  } else {
    MR_TRY(state.VisitChanges([&](Micros bucket, std::string_view key, const std::byte* before,
                                  const std::byte* after) -> Status {
      if (before != nullptr) {
        MR_TRY(output.Add(bucket, key, before, -1, ignored));
      }
      return output.Add(bucket, key, after, 1, *task.report);
    }));
  }
  if (const BatchPtr rows = plan_->after.Process(output.Finish(is_final), *task.report)) {
    task.output.push_back(rows);
  }
  if (streams_.closed) {
    GroupOutput closed(group_by);
    MR_TRY(state.Visit(kMicrosMin, first_open,
                       [&](Micros bucket, std::string_view key, const std::byte* value) {
                         return closed.Add(bucket, key, value, 1, ignored);
                       }));
    if (const BatchPtr rows = plan_->after.Process(closed.Finish(true), ignored)) {
      task.closed.push_back(rows);
    }
  }
  state.DropBuckets(first_open);
  return {};
}

Status PipelineRunner::CommitEpoch() {
  Epoch& epoch = in_flight_.back();
  auto writer = transport_.BeginEpoch();
  const EventTimes times{.append_time = clock_.WallMicros()};
  std::vector<std::vector<BatchPtr>> output(streams_.view_partitions);
  std::vector<BatchPtr> closed;
  const auto collect = [&](size_t task, std::span<const BatchPtr> batches) {
    auto& partition = output[task % output.size()];
    partition.insert(partition.end(), batches.begin(), batches.end());
  };
  if (plan_->group_by) {
    for (size_t i = 0; i < state_tasks_.size(); ++i) {
      const StateTask& task = state_tasks_[i];
      if (task.error) {
        return Err(*task.error);
      }
      collect(i, task.output);
      if (served_ != nullptr) {
        epoch.output.push_back(task.output);
      }
      closed.insert(closed.end(), task.closed.begin(), task.closed.end());
    }
  } else {
    for (size_t i = 0; i < source_tasks_.size(); ++i) {
      collect(i, source_tasks_[i].output);
    }
  }
  epoch.state_frame = AppendOutput(output, times, *writer);
  writer->AppendOpaque(streams_.state, PartitionId(0), FrameType::kState, state_->Seal());
  if (!closed.empty()) {
    writer->Append(*streams_.closed, PartitionId(0), Concatenate(closed), times);
  }
  AppendReports(*writer);
  for (uint32_t p = 0; p < sources_.size(); ++p) {
    epoch.end_positions.push_back(sources_[p].position());
    if (sources_[p].position() != epoch.positions[p]) {
      writer->SetPosition(
          reader_, streams_.source, PartitionId(p),
          MR_PLANTED(DeltaAppliedTwice) ? epoch.positions[p] : sources_[p].position());
    }
  }
  if (const auto trim = state_->TakeTrim()) {
    writer->Trim(streams_.state, PartitionId(0), *trim);
  }
  stats_.epochs += 1;
  stats_.watermark = state_->stage_watermark;
  stats_.state_keys = state_->keys();
  stats_.state_bytes = state_->MemoryBytes();
  {
    MutexLock lock(mutex_);
    ++undecided_;
  }
  writer->CommitAsync([this, id = epoch.id](const CommitResult& result) {
    MutexLock lock(mutex_);
    decided_.push_back({id, result});
    wake_();
    if (--undecided_ == 0) {
      all_decided_.NotifyAll();
    }
  });
  return {};
}

size_t PipelineRunner::AppendOutput(const std::vector<std::vector<BatchPtr>>& output,
                                    const EventTimes& times, EpochWriter& writer) {
  size_t appends = 0;
  for (uint32_t p = 0; p < output.size(); ++p) {
    if (output[p].empty()) {
      continue;
    }
    const BatchPtr batch = Concatenate(output[p]);
    stats_.rows_out += batch->rows();
    if (MR_PLANTED(OutputInItsOwnEpoch)) {
      auto early = transport_.BeginEpoch();
      early->Append(streams_.view, PartitionId(p), batch, times);
      early->CommitAsync({});
    } else {
      writer.Append(streams_.view, PartitionId(p), batch, times);
      ++appends;
    }
  }
  return appends;
}

void PipelineRunner::AppendReports(EpochWriter& writer) {
  const EventTimes times{.append_time = clock_.WallMicros()};
  RowReport::Counts counts;
  std::vector<ErrorRow> errors;
  std::vector<BatchPtr> late;
  const auto collect = [&](const std::optional<RowReport>& report) {
    if (report) {
      counts.Add(report->counts);
      errors.insert(errors.end(), report->errors().begin(), report->errors().end());
      late.insert(late.end(), report->late().begin(), report->late().end());
    }
  };
  for (const SourceTask& task : source_tasks_) {
    collect(task.report);
  }
  stats_.rows_in += counts.in;
  stats_.rows_accepted += counts.accepted;
  stats_.rows_filtered += counts.filtered;
  stats_.rows_late += counts.late;
  stats_.rows_failed += counts.failed;
  for (const StateTask& task : state_tasks_) {
    collect(task.report);
  }
  if (const BatchPtr batch = MakeErrorBatch(errors)) {
    writer.Append(streams_.errors, PartitionId(0), batch, times);
  }
  for (const BatchPtr& batch : late) {
    writer.Append(*streams_.late, PartitionId(0), WithoutExtras(batch), times);
  }
}

Status PipelineRunner::HandleDecided() {
  std::vector<Decided> decided;
  {
    MutexLock lock(mutex_);
    decided.swap(decided_);
  }
  for (const Decided& item : decided) {
    MR_CHECK(!in_flight_.empty() && in_flight_.front().id == item.epoch, "epochs decided in order");
    switch (item.result.outcome) {
      case CommitOutcome::kCommitted:
        MR_CHECK(!aborted_from_, "an epoch was committed after an aborted one");
        MR_TRY(HandleCommitted(in_flight_.front(), item.result));
        break;
      case CommitOutcome::kAborted:
        if (!aborted_from_) {
          aborted_from_ = item.epoch;
          RollBack();
        }
        break;
      case CommitOutcome::kFenced:
      case CommitOutcome::kUnknown:
        return Err(item.result.error->WithContext(
            fmt::format("view {}, epoch {}", plan_->name, item.epoch)));
    }
    in_flight_.pop_front();
  }
  return {};
}

Status PipelineRunner::HandleCommitted(const Epoch& epoch, const CommitResult& result) {
  state_->Committed(epoch.id, result.ranges[epoch.state_frame].begin);
  for (const AppendedRange& range : result.ranges) {
    if (range.stream == streams_.view) {
      view_position_[range.partition.value()] = range.end;
    }
  }
  if (served_ != nullptr) {
    ApplyOutput(epoch);
    served_->Publish(view_position_, epoch.end_positions);
  }
  if (options_.on_commit) {
    options_.on_commit();
  }
  return {};
}

void PipelineRunner::ApplyOutput(const Epoch& epoch) {
  size_t rows = 0;
  for (const auto& output : epoch.output) {
    for (const BatchPtr& batch : output) {
      rows += batch->rows();
    }
  }
  const auto apply = [&](size_t task) {
    for (const BatchPtr& batch : epoch.output[task]) {
      served_->Apply(task, *batch);
    }
  };
  RunTasks(epoch.output.size(), static_cast<int64_t>(rows), apply);
}

void PipelineRunner::RollBack() {
  const Epoch& epoch = in_flight_.front();
  state_->Rollback(epoch.id);
  state_->last_epoch = EpochId(epoch.id.value() - 1);
  state_->stage_watermark = epoch.stage_watermark;
  state_->source_watermarks = epoch.source_watermarks;
  state_->started = epoch.started;
  for (size_t p = 0; p < sources_.size(); ++p) {
    sources_[p].Reset(
        MR_PLANTED(PositionNotRolledBack) ? sources_[p].position() : epoch.positions[p],
        MR_PLANTED(WatermarkNotRolledBack) ? sources_[p].watermark() : epoch.source_watermarks[p]);
  }
}

}  // namespace millrace
