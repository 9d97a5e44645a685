#include "golden_project.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "millrace/connect/connector.h"
#include "millrace/connect/ingest_options.h"
#include "millrace/connect/sink_options.h"
#include "millrace/data/row_decoder.h"
#include "millrace/data/text_format.h"

#include "golden_batch.h"

namespace millrace::golden {

namespace {

constexpr Micros kStartTime = 1'767'225'600'000'000;  // 2026-01-01 00:00 UTC.

/// Lives of one call that a fault may end; after that it runs without faults.
constexpr int kFaultyLivesMax = 5;

/// What a runner may report when its transport has failed.
bool IsEndOfLife(const Error& error) {
  return error.code() == ErrorCode::kCommitUnknown || error.code() == ErrorCode::kTransportClosed ||
         error.code() == ErrorCode::kIoError || error.code() == ErrorCode::kSyncFailed;
}

std::vector<std::string> SplitRecords(const std::string& records) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < records.size();) {
    const size_t end = std::min(records.find('\n', at), records.size() - 1);
    lines.push_back(records.substr(at, end + 1 - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

GoldenProject::GoldenProject(const Mode& mode)
    : mode_(mode), clock_(kStartTime), workers_(mode.workers), stage_(Stage::Make(mode, clock_)) {}

GoldenProject::~GoldenProject() { Stop(); }

std::vector<std::string> GoldenProject::CompileErrors(const std::string& sql) const {
  std::vector<SqlFile> files = files_;
  const std::string path = "sql";
  files.push_back({.path = path, .text = sql});
  std::vector<ProjectError> errors;
  (void)CompileProject(files, {.check_connector = CheckConnector, .check_sink = CheckSink},
                       &errors);
  std::vector<std::string> lines;
  for (const ProjectError& error : errors) {
    const size_t prefix = error.location.file == path ? path.size() + 1 : 0;
    lines.push_back(error.ToString().substr(prefix));
  }
  return lines;
}

Status GoldenProject::Define(const std::string& sql) {
  files_.push_back({.path = fmt::format("statement{}.sql", files_.size() + 1), .text = sql});
  MR_ASSIGN(project_,
            CompileProject(files_, {.check_connector = CheckConnector, .check_sink = CheckSink},
                           nullptr));
  Stop();
  MR_TRY(Start());
  return RunToEnd();
}

Status GoldenProject::Start() {
  for (const TableDefinition& table : project_.tables) {
    MR_ASSIGN(ingestors_[table.name],
              StreamIngestor::Open(table, stage_->transport(), clock_, ReadIngestOptions(table)));
  }
  for (const ViewDefinition& view : project_.views) {
    PipelineRunner::Options options;
    options.batch_rows_max = mode_.batch_rows;
    options.epoch_bytes_max = mode_.batch_rows == 1 ? 1 : options.epoch_bytes_max;
    if (mode_.workers > 1) {
      options.small_epoch_rows = -1;  // Otherwise one thread does it all.
      options.large_epoch_rows = 0;
    }
    MR_ASSIGN(runners_[view.name],
              PipelineRunner::Create(view, project_, stage_->transport(), clock_, workers_,
                                     std::move(options), [] {}));
  }
  return {};
}

void GoldenProject::Stop() {
  while (stage_->Pump()) {
  }
  runners_.clear();
  ingestors_.clear();
}

Status GoldenProject::Restart() {
  Stop();
  stage_->Restart();
  return Start();
}

Status GoldenProject::RunToEnd() {
  for (int life = 0;; ++life) {
    stage_->Arm(has_faults() && life < kFaultyLivesMax);
    MR_ASSIGN(const bool done, RunOnce());
    stage_->Arm(false);
    if (done) {
      break;
    }
    MR_TRY(Restart());
  }
  MR_TRY(CheckAccounts());
  if (mode_.restarts || mode_.crashes) {
    MR_TRY(Restart());
    MR_ASSIGN(const bool done, RunOnce());
    if (!done) {
      return Err(ErrorCode::kInternal, "a life has ended without a fault");
    }
  }
  return {};
}

Result<bool> GoldenProject::RunOnce() {
  constexpr int kStepsMax = 100'000;
  for (int step = 0; step < kStepsMax; ++step) {
    bool busy = false;
    for (const auto& [name, runner] : runners_) {
      const auto progress = runner->Step();
      if (!progress && has_faults() && IsEndOfLife(progress.error())) {
        return false;
      }
      if (!progress) {
        return Err(progress.error().WithContext(fmt::format("view {}", name)));
      }
      busy = busy || *progress == PipelineRunner::Progress::kWorked || !runner->caught_up();
    }
    busy = stage_->Pump() || busy;
    if (stage_->ended()) {
      return false;
    }
    if (!busy) {
      return true;
    }
  }
  return Err(ErrorCode::kInternal, "the views do not come to rest");
}

Status GoldenProject::Append(const std::string& table, const std::string& records) {
  const auto found = ingestors_.find(table);
  if (found == ingestors_.end()) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no table {}", table));
  }
  StreamIngestor& ingestor = *found->second;
  // With more partitions, other requests would put the records elsewhere.
  if (mode_.batch_rows == 1 && ingestor.table().partitions == 1) {
    for (const std::string& record : SplitRecords(records)) {
      MR_TRY(Take(ingestor, record));
    }
  } else {
    MR_TRY(Take(ingestor, records));
  }
  return RunToEnd();
}

Status GoldenProject::Take(StreamIngestor& ingestor, std::string_view records) {
  const auto decoded = ingestor.Decode(PaddedBuffer(records), JsonFraming::kLines);
  std::optional<CommitResult> result;
  MR_TRY(ingestor.Commit(decoded, {}, {}, [&](const CommitResult& decided) { result = decided; }));
  while (!result && stage_->Pump()) {
  }
  if (!result || result->outcome != CommitOutcome::kCommitted) {
    return Err(ErrorCode::kInternal, "records were not taken");
  }
  return {};
}

Status GoldenProject::Advance(std::string_view interval) {
  MR_ASSIGN(const Interval parsed, ParseInterval(interval));
  clock_.Advance(std::chrono::microseconds(static_cast<Micros>(IntervalOrder(parsed))));
  for (const auto& [name, ingestor] : ingestors_) {
    ingestor->Tick();
  }
  while (stage_->Pump()) {
  }
  return RunToEnd();
}

Status GoldenProject::CheckAccounts() const {
  for (const auto& [name, runner] : runners_) {
    const PipelineStats& stats = runner->stats();
    const uint64_t sum =
        stats.rows_accepted + stats.rows_filtered + stats.rows_late + stats.rows_failed;
    if (stats.rows_in != sum) {
      return Err(ErrorCode::kInternal, fmt::format("view {}: {} rows in, accounted for {}", name,
                                                   stats.rows_in.load(), sum));
    }
  }
  return {};
}

Status GoldenProject::CheckServed(const std::string& view, const RowCounts& rows) const {
  const auto runner = runners_.find(view);
  if (runner == runners_.end() || runner->second->served_rows() == nullptr) {
    return {};
  }
  const auto root = runner->second->served_rows()->root();
  RowDecoder decoder(runner->second->plan().output_schema);
  RowCounts served;
  for (size_t page = 0; page < root->pages(); ++page) {
    root->VisitPage(page, [&](std::string_view row, int64_t count) {
      decoder.Add(row);
      served[RowLine(*decoder.Finish(), 0)] += count;
    });
  }
  if (served != rows) {
    return Err(ErrorCode::kInternal,
               fmt::format("the served rows differ from the change stream:\n{}",
                           fmt::join(ChangeLines(rows, served), "\n")));
  }
  return {};
}

Status GoldenProject::CheckBatch(const std::string& name, const RowCounts& rows) {
  const ViewDefinition* view = project_.FindView(name);
  const bool is_plain = !mode_.on_disk && !mode_.restarts && mode_.batch_rows > 1 &&
                        mode_.workers == 1 && !has_faults();
  if (view == nullptr || view->emit == EmitMode::kFinal || !is_plain) {
    return {};
  }
  // Its rows wait for the watermarks, which a query over everything has passed.
  if (AnyNode(*view->plan, [](const PlanNode& node) { return node.join.as_of.has_value(); })) {
    return {};
  }
  for (const std::string_view kind : {"late$", "errors$"}) {
    const std::string stream = fmt::format("{}{}", kind, name);
    if (stage_->transport().FindStream(stream)) {
      MR_ASSIGN(const RowCounts left_out, NetErrors(stage_->transport(), stream));
      if (!left_out.empty()) {
        return {};
      }
    }
  }
  MR_ASSIGN(const RowCounts batch, BatchRows(*view, project_, stage_->transport(), clock_));
  if (batch != rows) {
    return Err(ErrorCode::kInternal, fmt::format("a batch query gives other rows:\n{}",
                                                 fmt::join(ChangeLines(rows, batch), "\n")));
  }
  return {};
}

GoldenProject::Answer GoldenProject::Rows(const std::string& name) {
  MR_ASSIGN(const RowCounts rows, NetRows(stage_->transport(), name));
  MR_TRY(CheckServed(name, rows));
  MR_TRY(CheckBatch(name, rows));
  MR_ASSIGN(auto lines, Lines(rows));
  lines.insert(lines.begin(), HeaderLine(*stage_->transport().FindStream(name)->definition.schema));
  return lines;
}

GoldenProject::Answer GoldenProject::Changes(const std::string& view) {
  MR_ASSIGN(const RowCounts rows, NetRows(stage_->transport(), view));
  return ChangeLines(std::exchange(seen_[view], rows), rows);
}

GoldenProject::Answer GoldenProject::Errors(const std::string& name) {
  MR_ASSIGN(const RowCounts errors, NetErrors(stage_->transport(), "errors$" + name));
  MR_ASSIGN(auto lines, Lines(errors));
  lines.insert(lines.begin(), std::string(ErrorHeaderLine()));
  return lines;
}

GoldenProject::Answer GoldenProject::Late(const std::string& view) {
  std::vector<std::string> lines;
  if (stage_->transport().FindStream("late$" + view)) {
    MR_ASSIGN(const RowCounts late, NetErrors(stage_->transport(), "late$" + view));
    MR_ASSIGN(lines, Lines(late));
  }
  lines.insert(lines.begin(), std::string(ErrorHeaderLine()));
  return lines;
}

}  // namespace millrace::golden
