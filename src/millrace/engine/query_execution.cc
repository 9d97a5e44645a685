#include "millrace/engine/query_execution.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace millrace {

namespace {

/// Between two looks at the limits.
constexpr size_t kEpochBytes = size_t{1} << 20;
constexpr size_t kBatchRows = 512;
constexpr size_t kRecordBytesShown = 200;

std::vector<uint32_t> CountPartitions(
    const std::vector<std::vector<std::unique_ptr<QueryInput>>>& inputs) {
  std::vector<uint32_t> partitions;
  for (const auto& input : inputs) {
    partitions.push_back(static_cast<uint32_t>(input.size()));
  }
  return partitions;
}

/// The begin of a record as JSON, whole characters.
std::string_view Shown(std::string_view record) {
  if (record.size() <= kRecordBytesShown) {
    return record;
  }
  size_t size = kRecordBytesShown;
  while (size > 0 && (static_cast<unsigned char>(record[size]) & 0xc0) == 0x80) {
    --size;
  }
  return record.substr(0, size);
}

double Millis(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

QueryExecution::QueryExecution(const QueryDefinition& query, const PipelinePlan& plan,
                               std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs,
                               const QueryLimits& limits, const Environment& environment)
    : query_(query),
      plan_(plan),
      limits_(limits),
      environment_(environment),
      inputs_(std::move(inputs)),
      partitions_(CountPartitions(inputs_)),
      input_rows_(inputs_.size()),
      state_(plan, 1, std::accumulate(partitions_.begin(), partitions_.end(), size_t{0}), 0),
      dataflow_(plan, partitions_, state_, environment.clock, environment.workers, kBatchRows),
      rows_(query, limits.rows_max),
      check_([this](size_t more_bytes) { return Check(more_bytes); }),
      begun_(environment.clock.Monotonic()) {
  dataflow_.SetCheck(&check_);
}

Status QueryExecution::Check(size_t more_bytes) const {
  if (environment_.ended.load(std::memory_order_relaxed)) {
    return Err(ErrorCode::kUnavailable, "the server is stopping");
  }
  if (environment_.abandoned != nullptr &&
      environment_.abandoned->load(std::memory_order_relaxed)) {
    return Err(ErrorCode::kUnavailable, "the client has gone");
  }
  if (environment_.clock.Monotonic() >= limits_.deadline) {
    return Err(Error(ErrorCode::kQueryTimeout, "the query did not end in time")
                   .WithHint("restrict it, or make a materialized view of it"));
  }
  if (state_.MemoryBytes() + rows_.MemoryBytes() + failures_bytes_ + more_bytes >
      limits_.memory_bytes) {
    return Err(Error(ErrorCode::kQueryMemory,
                     fmt::format("the query needs more than {} bytes", limits_.memory_bytes))
                   .WithHint("restrict it, or make a materialized view of it"));
  }
  return {};
}

Result<bool> QueryExecution::ReadInputs() {
  bool any = false;
  size_t source = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    for (const auto& partition : inputs_[i]) {
      MR_ASSIGN(auto slice, partition->Next(kEpochBytes));
      any = any || slice.any;
      input_rows_[i] += slice.rows;
      dataflow_.SetSlice(source++, std::move(slice));
    }
  }
  return any;
}

Status QueryExecution::RunEpoch() {
  state_.BeginEpoch(state_.last_epoch.Next());
  // Without watermarks nothing is late, and nothing is forgotten.
  const std::vector<Dataflow::InputTime> times(plan_.inputs.size());
  MR_TRY(dataflow_.Run(times, false));
  state_.progress.started = true;
  state_.Seal();
  state_.Committed(state_.last_epoch, Offset(static_cast<int64_t>(state_.last_epoch.value())));
  state_.TakeTrim();
  NoteErrors();
  if (plan_.append_only) {
    dataflow_.VisitOutput([this](uint32_t, std::span<const BatchPtr> batches) {
      for (const BatchPtr& batch : batches) {
        rows_.Add(*batch);
      }
    });
  }
  return Check(0);
}

Result<QueryRows::Result> QueryExecution::Run() {
  MR_TRY(Check(0));
  MR_TRY(ReadInputs());
  // Once at least: an aggregation without groups has a row over nothing.
  bool more = true;
  while (more && !rows_.is_complete()) {
    MR_TRY(RunEpoch());
    MR_ASSIGN(more, ReadInputs());
  }
  const bool rows_wait = std::ranges::any_of(
      plan_.operators, [](const auto& each) { return each->holds_back_rows(); });
  if (rows_wait && !rows_.is_complete()) {
    dataflow_.EndInputs();
    MR_TRY(RunEpoch());
  }
  if (!plan_.append_only) {
    Status status;
    MR_TRY(dataflow_.VisitRemembered(0, [&](const BatchPtr& batch) {
      if (status) {
        rows_.Add(*batch);
        status = Check(0);
      }
    }));
    MR_TRY(std::move(status));
  }
  MR_TRY(FirstError());
  QueryRows::Result result = rows_.Take();
  result_rows_ = result.rows->rows();
  ended_at_ = environment_.clock.Monotonic();
  return result;
}

void QueryExecution::NoteErrors() {
  dataflow_.VisitReports([this](const RowReport& report) {
    for (const ErrorRow& row : report.errors()) {
      std::string key = fmt::format("{} {} {} {} ", static_cast<int>(row.code), row.operator_name,
                                    row.partition ? fmt::format("{}", *row.partition) : "-",
                                    row.offset ? fmt::format("{}", *row.offset) : "-");
      key += row.record;
      const size_t bytes = key.size() + row.message.size() + sizeof(Failure);
      const auto [place, is_new] = failures_.try_emplace(
          std::move(key),
          Failure{.error = Error(
                      row.code, fmt::format("{}, in the row {}", row.message, Shown(row.record)))});
      failures_bytes_ += is_new ? bytes : 0;
      place->second.weight += row.weight;
      if (place->second.weight == 0) {
        failures_bytes_ -= std::min(failures_bytes_, bytes);
        failures_.erase(place);
      }
    }
  });
}

Status QueryExecution::FirstError() const {
  for (const auto& [key, failure] : failures_) {
    if (failure.weight > 0) {
      return Err(failure.error);
    }
  }
  return {};
}

std::vector<std::string> QueryExecution::Describe() const {
  std::vector<std::string> lines;
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    lines.push_back(fmt::format("Input {}: rows={}", plan_.inputs[i].stream, input_rows_[i]));
  }
  const Dataflow::Effort& effort = dataflow_.effort();
  lines.push_back(
      fmt::format("Filters and projections of inputs: time={:.3f} ms", Millis(effort.sources)));
  for (size_t op = 0; op < plan_.operators.size(); ++op) {
    lines.push_back(fmt::format("Operator {} {}: rows={} keys={} time={:.3f} ms", op + 1,
                                plan_.operators[op]->name(), effort.operator_rows[op],
                                state_.KeysOf(op, 0), Millis(effort.operators[op])));
  }
  lines.push_back(fmt::format("State: keys={} bytes={} epochs={}", state_.keys(),
                              state_.MemoryBytes(), state_.last_epoch.value()));
  lines.push_back(
      fmt::format("Result: rows={}{}", result_rows_, query_.order.empty() ? "" : " sorted"));
  lines.push_back(fmt::format("Execution time: {:.3f} ms", Millis(ended_at_ - begun_)));
  return lines;
}

}  // namespace millrace
