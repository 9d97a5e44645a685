#include "millrace/app/platform_sql.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "millrace/app/view_positions.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/json_text.h"
#include "millrace/sql/compile_query.h"
#include "millrace/stream/error_row.h"

namespace millrace {

namespace {

using Explain = QueryDefinition::Explain;

std::string JsonText(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

/// The plan and, above it, what is done with its rows; a line each.
std::vector<std::string> PlanLines(const QueryDefinition& query) {
  std::vector<std::string> lines;
  if (query.limit || query.offset > 0) {
    lines.push_back(fmt::format("Limit {}{}", query.limit ? fmt::format("{}", *query.limit) : "all",
                                query.offset > 0 ? fmt::format(" offset {}", query.offset) : ""));
  }
  if (!query.order.empty()) {
    std::string keys;
    for (const SortKey& key : query.order) {
      fmt::format_to(std::back_inserter(keys), "{}{}{}", keys.empty() ? "" : ", ",
                     query.plan->schema->field(key.column).name,
                     key.direction.is_descending ? " desc" : "");
    }
    lines.push_back("Sort " + keys);
  }
  std::istringstream plan(ExplainPlan(*query.plan));
  for (std::string line; std::getline(plan, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string LinesJson(const std::vector<std::string>& lines) {
  std::string json = R"({"columns":[{"name":"plan","type":"text"}],"rows":[)";
  for (const std::string& line : lines) {
    fmt::format_to(std::back_inserter(json), "{}{{\"plan\":{}}}", &line == lines.data() ? "" : ",",
                   JsonText(line));
  }
  return json + "],\"truncated\":false}";
}

std::string ResultJson(const QueryRows::Result& result) {
  std::string json = "{\"columns\":[";
  const Schema& schema = result.rows->schema();
  for (size_t i = 0; i < schema.size(); ++i) {
    fmt::format_to(std::back_inserter(json), "{}{{\"name\":{},\"type\":\"{}\"}}", i == 0 ? "" : ",",
                   JsonText(schema.field(i).name), schema.field(i).type.ToString());
  }
  json += "],\"rows\":[";
  const RowJsonWriter writer(schema);
  for (size_t row = 0; row < result.rows->rows(); ++row) {
    json += row == 0 ? "" : ",";
    writer.Append(*result.rows, row, json);
  }
  return json + fmt::format("],\"truncated\":{}}}", result.is_truncated);
}

/// What queries may name: the project's relations, and what has been refused on the way to them.
ProjectDefinition QueriedDefinition(const ServedViews& served) {
  ProjectDefinition definition = *served.definition;
  const auto add = [&](std::string_view prefix, const std::string& name) {
    TableDefinition refused;
    refused.name = fmt::format("{}{}", prefix, name);
    refused.schema = ErrorRowSchema();
    refused.partitions = 1;
    definition.tables.push_back(std::move(refused));
  };
  for (const TableDefinition& table : served.definition->tables) {
    add("errors$", table.name);
  }
  for (const ViewDefinition& view : definition.views) {
    add("errors$", view.name);
    if (served.Find(view.name)->runner().plan().has_late_rows) {
      add("late$", view.name);
    }
  }
  return definition;
}

}  // namespace

PlatformSql::PlatformSql(Platform& platform, PositionWaits& waits, const QueryOptions& options,
                         SqlMetrics metrics)
    : platform_(platform),
      waits_(waits),
      options_(options),
      metrics_(metrics),
      queue_(static_cast<size_t>(options.waiting_max)) {
  for (int i = 0; i < options_.running_max; ++i) {
    threads_.emplace_back(fmt::format("mr-sql-{}", i), [this] {
      while (auto work = queue_.Pop()) {
        (*work)();
      }
    });
  }
}

PlatformSql::~PlatformSql() {
  ended_ = true;
  waits_.Stop();
  queue_.Close();
  threads_.clear();
}

void PlatformSql::Push(std::function<void()> work, const Done& done) {
  if (!queue_.TryPush(work)) {
    metrics_.rejected.Add();
    done(Err(Error(ErrorCode::kTooManyRequests, "too many SQL queries are waiting")
                 .WithHint("query.running_max and query.waiting_max say how many there may be")));
  }
}

void PlatformSql::Query(serve::SqlRequest request, Done done) {
  if (request.sql.size() > options_.text_bytes_max) {
    return done(Err(ErrorCode::kSqlTooLarge,
                    fmt::format("the SQL text has {} bytes, query.text_bytes_max allows {}",
                                request.sql.size(), options_.text_bytes_max)));
  }
  const auto begun = platform_.clock().Monotonic();
  const auto time_max = std::chrono::duration_cast<std::chrono::milliseconds>(options_.time_max);
  const auto timeout = std::min(request.timeout.value_or(time_max), time_max);
  const auto job = std::make_shared<Job>(Job{.request = std::move(request),
                                             .query = {},
                                             .begun = begun,
                                             .deadline = begun + timeout,
                                             .done = std::move(done)});
  Push([this, job] { Begin(job); }, job->done);
}

void PlatformSql::Begin(const std::shared_ptr<Job>& job) {
  metrics_.running.Add(1);
  const Status compiled = Compile(*job);
  Result<PositionWait> wait = PositionWait();
  if (compiled && !job->request.wait_for.empty()) {
    wait = PositionWait::Make(job->query.inputs, job->request.wait_for, waits_.frontier());
  }
  if (!compiled || !wait) {
    Answer(*job, Err(compiled ? wait.error() : compiled.error()));
  } else if (job->request.wait_for.empty()) {
    Finish(*job);
  } else {
    waits_.Add(
        *std::move(wait), job->queried->served, job->deadline, [this, job](const Status& reached) {
          if (!reached) {
            return Answer(*job, Err(reached.error()));
          }
          // On the thread of the commits: the query itself waits for its turn once more.
          Push([this, job] { Finish(*job); },
               [this, job](Result<std::string> refused) { Answer(*job, std::move(refused)); });
        });
  }
}

std::shared_ptr<const PlatformSql::Queried> PlatformSql::queried() {
  auto served = platform_.views();
  MutexLock lock(mutex_);
  if (queried_ == nullptr || queried_->served != served) {
    queried_ = std::make_shared<const Queried>(served, QueriedDefinition(*served));
  }
  return queried_;
}

Status PlatformSql::Compile(Job& job) {
  job.queried = queried();
  auto query =
      CompileQuery(job.request.sql, job.queried->definition,
                   {.now = platform_.clock().WallMicros(), .default_window_size = std::nullopt});
  const bool lacks_views = job.queried->definition.plain_views.size() <
                           platform_.project().definition.plain_views.size();
  if (!query && query.error().code() == ErrorCode::kSqlUnknownRelation && lacks_views) {
    return Err(query.error().WithHint(
        "plain views that need columns which a view gets by its rebuild are not there before"));
  }
  MR_ASSIGN(job.query, std::move(query));
  for (const std::string& input : job.query.inputs) {
    const auto view = job.queried->served->Find(input);
    const double progress = view == nullptr ? 1 : view->Progress();
    if (progress < 1 && job.request.wait_for.empty()) {
      return Err(
          Error(ErrorCode::kUnavailable,
                fmt::format("view {} is being built: {:.0f} % are taken in", input, 100 * progress))
              .WithHint("GET /api/v1/views shows its progress"));
    }
  }
  return {};
}

void PlatformSql::Finish(Job& job) {
  auto answer = Run(job);
  if (!answer && job.queried->served != platform_.views()) {
    answer = Run(job);  // What it has read was replaced meanwhile.
  }
  Answer(job, std::move(answer));
}

void PlatformSql::Answer(const Job& job, Result<std::string> answer) {
  metrics_.running.Add(-1);
  if (!answer) {
    metrics_.failed.Add();
  }
  metrics_.seconds.Observe(
      std::chrono::duration<double>(platform_.clock().Monotonic() - job.begun).count());
  job.done(std::move(answer));
}

Result<std::string> PlatformSql::Run(Job& job) {
  if (job.queried != queried()) {
    MR_TRY(Compile(job));  // A view was replaced while it waited.
  }
  const QueryDefinition& query = job.query;
  if (query.explain == Explain::kPlan) {
    return LinesJson(PlanLines(query));
  }
  MR_ASSIGN(const auto plan, PipelinePlan::Make(query, job.queried->definition));
  MR_ASSIGN(auto inputs, OpenInputs(*plan, *job.queried->served));
  WorkerPool worker(1);
  QueryExecution execution(
      query, *plan, std::move(inputs),
      {.deadline = job.deadline,
       .memory_bytes = options_.memory_bytes,
       .rows_max = std::min(job.request.limit.value_or(options_.rows_max), options_.rows_max)},
      {.clock = platform_.clock(),
       .workers = worker,
       .ended = ended_,
       .abandoned = job.request.abandoned.get()});
  MR_ASSIGN(const QueryRows::Result result, execution.Run());
  if (query.explain == Explain::kAnalyze) {
    std::vector<std::string> lines = PlanLines(query);
    std::ranges::move(execution.Describe(), std::back_inserter(lines));
    return LinesJson(lines);
  }
  if (result.is_truncated && !job.request.limit) {
    return Err(Error(ErrorCode::kQueryRows,
                     fmt::format("the query's result has more than {} rows", options_.rows_max))
                   .WithHint("add LIMIT, or ask with \"limit\" for the first rows"));
  }
  metrics_.rows.Add(static_cast<double>(result.rows->rows()));
  return ResultJson(result);
}

Result<PlatformSql::StoredStream> PlatformSql::StreamOf(const std::string& name,
                                                        const RunningView* view) {
  if (view != nullptr) {
    return StoredStream{view->runner().view_stream(), view->runner().view_partitions()};
  }
  const auto stream = platform_.transport().FindStream(name);
  if (!stream) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", name));
  }
  return StoredStream{stream->id, stream->definition.partitions};
}

Result<std::vector<std::vector<std::unique_ptr<QueryInput>>>> PlatformSql::OpenInputs(
    const PipelinePlan& plan, const ServedViews& served_views) {
  std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs;
  for (const PipelineInput& input : plan.inputs) {
    auto& partitions = inputs.emplace_back();
    const auto view = served_views.Find(input.stream);
    const ServedRows* served = view == nullptr ? nullptr : view->runner().served_rows();
    if (served != nullptr) {
      partitions.push_back(
          MakeServedInput(input, view->runner().plan().output_schema, served->root()));
      continue;
    }
    MR_ASSIGN(const StoredStream stream, StreamOf(input.stream, view.get()));
    Transport& transport = platform_.transport();
    for (uint32_t p = 0; p < stream.partitions; ++p) {
      const PartitionInfo info = transport.Describe(stream.id, PartitionId(p));
      partitions.push_back(MakeStreamInput(
          input, transport.OpenCursor(stream.id, PartitionId(p), info.begin, Visibility::kDurable),
          info.durable_end));
    }
  }
  return inputs;
}

}  // namespace millrace
