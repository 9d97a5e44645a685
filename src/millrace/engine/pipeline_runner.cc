#include "millrace/engine/pipeline_runner.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/option_values.h"
#include "millrace/base/planted_bug.h"
#include "millrace/engine/pipeline_streams.h"

namespace millrace {

namespace {

/// An epoch costs per group and not only per row, so the next one lets rows gather until the last
/// one has taken at most one part in this of the time, but not longer than kEpochWaitMax.
constexpr int kEpochShare = 4;
constexpr std::chrono::nanoseconds kEpochWaitMax = std::chrono::milliseconds(50);

/// A frame of the view's rows has at least so many, if there are: a larger batch is not copied.
constexpr size_t kFrameRowsMin = 65'536;

/// Watermarks are passed on in such steps: a frame for each epoch would cost more than the rows.
Micros WholeSeconds(Micros watermark) {
  // The last one may have no whole second below it.
  return watermark < kMicrosMin + kMicrosPerSecond
             ? kMicrosMin
             : watermark - (watermark % kMicrosPerSecond + kMicrosPerSecond) % kMicrosPerSecond;
}

[[maybe_unused]] bool HasRetractions(const Batch& batch) {
  for (size_t row = 0; row < batch.rows(); ++row) {
    if (batch.Weight(row) < 0) {
      return true;
    }
  }
  return false;
}

/// The same rows in batches of at least kFrameRowsMin, but for the last one.
std::vector<BatchPtr> JoinSmall(std::span<const BatchPtr> batches) {
  std::vector<BatchPtr> joined;
  size_t first = 0;
  size_t rows = 0;
  for (size_t i = 0; i < batches.size(); ++i) {
    rows += batches[i]->rows();
    if (rows >= kFrameRowsMin || i + 1 == batches.size()) {
      joined.push_back(Concatenate(batches.subspan(first, i + 1 - first)));
      first = i + 1;
      rows = 0;
    }
  }
  return joined;
}

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
      reader_(ReaderOfView(plan_->name)),
      state_partitions_(options_.state_partitions) {}

Result<std::unique_ptr<PipelineRunner>> PipelineRunner::Create(
    const ViewDefinition& view, const ProjectDefinition& project, Transport& transport,
    const Clock& clock, WorkerPool& workers, Options options, std::function<void()> wake) {
  MR_ASSIGN(auto plan, PipelinePlan::Make(view, project));
  std::unique_ptr<PipelineRunner> runner(new PipelineRunner(
      std::move(plan), transport, clock, workers, std::move(options), std::move(wake)));
  MR_TRY(runner->OpenSources(project));
  MR_TRY(runner->OpenStreams());
  MR_TRY(runner->Restore());
  StreamId last;
  for (const Source& source : runner->sources_) {
    if (std::exchange(last, source.stream) != source.stream) {
      runner->subscriptions_.push_back(
          transport.Subscribe(source.stream, Visibility::kAppended, runner->wake_));
    }
  }
  return runner;
}

PipelineRunner::~PipelineRunner() {
  for (const SubscriptionId subscription : subscriptions_) {
    transport_.Unsubscribe(subscription);
  }
  if (options_.memory != nullptr) {
    options_.memory->Change(state_bytes_, 0);
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
  if (over_memory_limit_) {
    return in_flight_.empty() ? Result<Progress>(Err(StopAtMemoryLimit())) : Progress::kWaiting;
  }
  if (in_flight_.size() >= static_cast<size_t>(options_.epochs_in_flight_max)) {
    return Progress::kWaiting;
  }
  const auto begin = clock_.Monotonic();
  if (!WorthAnEpoch(begin)) {
    return Progress::kWaiting;
  }
  Epoch epoch{.id = state_->last_epoch.Next(), .positions = {}, .state = state_->progress};
  for (const SourcePartition& source : source_partitions_) {
    epoch.positions.push_back(source.position());
  }
  int64_t rows = 0;
  MR_ASSIGN(const bool any, ReadInputs(rows));
  const bool start =
      !state_->progress.started
          ? std::ranges::any_of(plan_->operators,
                                [](const auto& each) { return each->starts_by_itself(); })
          : std::exchange(owes_watermark_, false);
  inputs_empty_ = !any;
  if (!any && !start) {
    return Progress::kWaiting;
  }
  in_flight_.push_back(std::move(epoch));
  state_->BeginEpoch(in_flight_.back().id);
  std::vector<Dataflow::InputTime> times;
  for (size_t input = 0; input < plan_->inputs.size(); ++input) {
    times.push_back(TimeOf(input));
    state_->progress.input_watermarks[input] = times.back().watermark;
  }
  MR_TRY(dataflow_->Run(times, rows > options_.small_epoch_rows));
  if (!ChargeState()) {
    DropLastEpoch();
    return Progress::kWorked;
  }
  state_->progress.started = true;
  MR_TRY(CommitEpoch());
  next_epoch_at_ = begin + std::min(kEpochShare * (clock_.Monotonic() - begin), kEpochWaitMax);
  return Progress::kWorked;
}

Status PipelineRunner::Settle() {
  {
    MutexLock lock(mutex_);
    while (undecided_ > 0) {
      all_decided_.Wait(mutex_);
    }
  }
  return HandleDecided();
}

std::vector<Offset> PipelineRunner::source_position() const {
  MutexLock lock(mutex_);
  return committed_position_;
}

bool PipelineRunner::ChargeState() {
  const size_t before = std::exchange(state_bytes_, state_->MemoryBytes());
  over_memory_limit_ = options_.memory != nullptr && !options_.memory->Change(before, state_bytes_);
  return !over_memory_limit_;
}

void PipelineRunner::DropLastEpoch() {
  state_->Rollback(in_flight_.back().id, in_flight_.back().state);
  in_flight_.pop_back();
}

Error PipelineRunner::StopAtMemoryLimit() {
  const size_t bytes = std::exchange(state_bytes_, 0);
  dataflow_.reset();
  state_.reset();
  options_.memory->Change(bytes, 0);
  stats_.state_bytes = 0;
  stats_.state_keys = 0;
  return Error(ErrorCode::kMemoryLimit,
               fmt::format("the state of all views would pass engine.memory_limit, {}; {} bytes "
                           "are this view's",
                           FormatByteSize({static_cast<int64_t>(options_.memory->limit())}), bytes))
      .WithHint(
          "raise it, or let the view forget rows (a window, a join within an interval), and start "
          "again: it goes on from its last commit");
}

bool PipelineRunner::WorthAnEpoch(std::chrono::nanoseconds now) {
  next_step_.reset();
  if (now >= next_epoch_at_ && in_flight_.empty()) {
    return true;
  }
  int64_t rows = 0;
  for (size_t i = 0; i < sources_.size(); ++i) {
    rows += transport_.Describe(sources_[i].stream, sources_[i].partition).appended_end -
            source_partitions_[i].position();
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

Result<bool> PipelineRunner::ReadInputs(int64_t& rows) {
  // All ends are taken before anything is read: a partition counts as idle only as of them.
  for (size_t i = 0; i < sources_.size(); ++i) {
    input_ends_[i] = transport_.Describe(sources_[i].stream, sources_[i].partition).appended_end;
  }
  const size_t bytes_each = std::max<size_t>(1, options_.epoch_bytes_max / sources_.size());
  bool any = false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    MR_ASSIGN(auto slice, source_partitions_[i].Poll(input_ends_[i], bytes_each));
    any = any || slice.any;
    rows += static_cast<int64_t>(slice.rows);
    dataflow_->SetSlice(i, std::move(slice));
    state_->progress.source_watermarks[i] = source_partitions_[i].watermark();
  }
  return any;
}

Dataflow::InputTime PipelineRunner::TimeOf(size_t input) const {
  Dataflow::InputTime time{.watermark = kMicrosMax, .idle = true};
  bool all_ended = true;
  bool is_new = true;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].input != input) {
      continue;
    }
    is_new = is_new && source_partitions_[i].position() == Offset(0);
    const PartitionWatermark& partition = source_partitions_[i].watermark();
    all_ended = all_ended && partition.ended;
    const bool behind = source_partitions_[i].position() < input_ends_[i];
    if ((!partition.idle && !partition.ended) || behind) {
      const Micros own = partition.Get(plan_->inputs[input].watermark_delay);
      time.watermark = MR_PLANTED(WindowsClosedTooEarly) ? own : std::min(time.watermark, own);
      time.idle = false;
    }
  }
  if (is_new) {
    // Not idle before its first record, or before it has said so: others are to wait for it.
    return {.watermark = kMicrosMin, .idle = false};
  }
  if (all_ended && time.idle) {
    return {.watermark = kMicrosMax, .idle = false};
  }
  const Micros before = state_->progress.input_watermarks[input];
  time.watermark = time.idle ? before : std::max(time.watermark, before);
  return time;
}

Status PipelineRunner::CommitEpoch() {
  Epoch& epoch = in_flight_.back();
  auto writer = transport_.BeginEpoch();
  const EventTimes times{.append_time = clock_.WallMicros()};
  std::vector<std::vector<BatchPtr>> output(streams_.view_partitions);
  dataflow_->VisitOutput([&](uint32_t task, std::span<const BatchPtr> batches) {
    auto& partition = output[task % output.size()];
    partition.insert(partition.end(), batches.begin(), batches.end());
  });
  epoch.state_frame = AppendOutput(output, times, epoch, *writer);
  epoch.state_frame += AppendWatermark(*writer);
  writer->AppendOpaque(streams_.state, PartitionId(0), FrameType::kState, state_->Seal());
  if (served_ != nullptr) {
    const auto rows = dataflow_->remembered();
    epoch.output.assign(rows.begin(), rows.end());
  }
  if (streams_.closed) {
    std::vector<BatchPtr> closed;
    for (const auto& batches : dataflow_->closed()) {
      closed.insert(closed.end(), batches.begin(), batches.end());
    }
    if (!closed.empty()) {
      writer->Append(*streams_.closed, PartitionId(0), Concatenate(closed), times);
    }
  }
  AppendReports(*writer);
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Offset position = source_partitions_[i].position();
    epoch.end_positions.push_back(position);
    if (position != epoch.positions[i]) {
      writer->SetPosition(reader_, sources_[i].stream, sources_[i].partition,
                          MR_PLANTED(DeltaAppliedTwice) ? epoch.positions[i] : position);
    }
  }
  if (const auto trim = state_->TakeTrim()) {
    writer->Trim(streams_.state, PartitionId(0), *trim);
  }
  {
    MutexLock lock(mutex_);
    ++undecided_;
  }
  epoch.watermark = std::ranges::min(state_->progress.input_watermarks);
  epoch.sealed_at = clock_.Monotonic();
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
                                    const EventTimes& times, Epoch& epoch, EpochWriter& writer) {
  size_t appends = 0;
  for (uint32_t p = 0; p < output.size(); ++p) {
    for (const BatchPtr& batch : JoinSmall(output[p])) {
      MR_DCHECK(!plan_->append_only || !HasRetractions(*batch), "view {} takes rows back",
                plan_->name);
      epoch.rows_out += batch->rows();
      if (MR_PLANTED(OutputInItsOwnEpoch)) {
        auto early = transport_.BeginEpoch();
        early->Append(streams_.view, PartitionId(p), batch, times);
        early->CommitAsync({});
      } else {
        writer.Append(streams_.view, PartitionId(p), batch, times);
        ++appends;
      }
    }
  }
  return appends;
}

size_t PipelineRunner::AppendWatermark(EpochWriter& writer) {
  if (!plan_->has_event_time) {
    return 0;
  }
  const Dataflow::InputTime time = dataflow_->OutputTime();
  ControlFrame frame{.kind = ControlFrame::Kind::kWatermark, .time = WholeSeconds(time.watermark)};
  if (time.watermark == kMicrosMax) {
    frame = {.kind = ControlFrame::Kind::kEnd};
  } else if (!plan_->is_read || (!time.idle && time.watermark == kMicrosMin)) {
    return 0;
  } else if (time.idle) {
    frame = {.kind = ControlFrame::Kind::kIdle};
  }
  const auto said = static_cast<uint8_t>(frame.kind);
  if (state_->progress.said_kind == said && state_->progress.said_time == frame.time) {
    return 0;
  }
  state_->progress.said_kind = said;
  state_->progress.said_time = frame.time;
  for (uint32_t p = 0; p < streams_.view_partitions; ++p) {
    writer.AppendOpaque(streams_.view, PartitionId(p), FrameType::kControl, frame.Encode());
  }
  return streams_.view_partitions;
}

void PipelineRunner::AppendReports(EpochWriter& writer) {
  const EventTimes times{.append_time = clock_.WallMicros()};
  std::vector<ErrorRow> errors;
  std::vector<ErrorRow> late;
  const auto collect = [&](const RowReport& report) {
    errors.insert(errors.end(), report.errors().begin(), report.errors().end());
    late.insert(late.end(), report.late().begin(), report.late().end());
  };
  dataflow_->VisitReports(collect);
  in_flight_.back().counts = dataflow_->Counts();
  if (const BatchPtr batch = MakeErrorBatch(errors)) {
    writer.Append(streams_.errors, PartitionId(0), batch, times);
  }
  if (const BatchPtr batch = MakeErrorBatch(late)) {
    writer.Append(*streams_.late, PartitionId(0), batch, times);
  }
}

void PipelineRunner::CountCommitted(const Epoch& epoch) {
  stats_.epochs += 1;
  stats_.rows_in += epoch.counts.in;
  stats_.rows_accepted += epoch.counts.accepted;
  stats_.rows_filtered += epoch.counts.filtered;
  stats_.rows_late += epoch.counts.late;
  stats_.rows_failed += epoch.counts.failed;
  stats_.rows_out += epoch.rows_out;
  stats_.watermark = epoch.watermark;
  stats_.state_keys = state_->keys();
  stats_.state_bytes = state_bytes_;
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
  // Before the rows and positions that say so: who has waited for them finds them counted.
  CountCommitted(epoch);
  if (served_ != nullptr) {
    ApplyOutput(epoch);
    served_->Publish(view_position_, epoch.end_positions);
  }
  {
    MutexLock lock(mutex_);
    committed_position_ = epoch.end_positions;
  }
  options_.metrics.commit_seconds.Observe(
      std::chrono::duration<double>(clock_.Monotonic() - epoch.sealed_at).count());
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
  if (rows > static_cast<size_t>(std::max<int64_t>(options_.small_epoch_rows, 0))) {
    workers_.ForEach(epoch.output.size(), apply);
    return;
  }
  for (size_t task = 0; task < epoch.output.size(); ++task) {
    apply(task);
  }
}

void PipelineRunner::RollBack() {
  const Epoch& epoch = in_flight_.front();
  state_->Rollback(epoch.id, epoch.state);
  for (size_t i = 0; i < sources_.size(); ++i) {
    SourcePartition& source = source_partitions_[i];
    source.Reset(
        MR_PLANTED(PositionNotRolledBack) ? source.position() : epoch.positions[i],
        MR_PLANTED(WatermarkNotRolledBack) ? source.watermark() : epoch.state.source_watermarks[i]);
  }
}

}  // namespace millrace
