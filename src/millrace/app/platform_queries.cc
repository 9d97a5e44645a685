#include "millrace/app/platform_queries.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "millrace/app/position_text.h"
#include "millrace/app/row_query.h"
#include "millrace/app/view_positions.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/json_text.h"
#include "millrace/data/row_decoder.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

constexpr size_t kQueueCapacity = 256;
constexpr int kThreads = 2;
constexpr size_t kBytesPerPoll = 4 << 20;

std::string JsonText(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

std::string TimeJson(Micros time) {
  return time == kMicrosMin || time == kMicrosMax ? "null"
                                                  : fmt::format("\"{}\"", FormatTimestamptz(time));
}

/// "building" until the view has taken in what was there before it; "finished" once the sources
/// have ended and a commit has taken in all they gave.
std::string_view StateOf(RunningView& view, const ViewFigures& figures, double progress) {
  if (view.failure()) {
    return "failed";
  }
  if (progress < 1) {
    return "building";
  }
  const bool is_finished = view.runner().stats().watermark == kMicrosMax && figures.lag_rows == 0;
  return is_finished ? "finished" : "running";
}

/// How far the view is that is to take the place of this one; null when there is none.
std::string RebuildJson(RunningView* next) {
  if (next == nullptr) {
    return "null";
  }
  const auto failure = next->failure();
  return fmt::format("{{\"progress\":{:.3f},\"error\":{},\"sql\":{}}}", next->Progress(),
                     failure ? JsonText(failure->ToString()) : "null",
                     JsonText(next->definition().sql));
}

/// "[{name, type, nullable}, ...]"; an empty list without a schema.
void AppendColumns(const SchemaPtr& schema, std::string& json) {
  json += '[';
  for (size_t i = 0; schema != nullptr && i < schema->size(); ++i) {
    const Field& field = schema->field(i);
    fmt::format_to(std::back_inserter(json), "{}{{\"name\":{},\"type\":\"{}\",\"nullable\":{}}}",
                   i == 0 ? "" : ",", JsonText(field.name), field.type.ToString(), field.nullable);
  }
  json += ']';
}

}  // namespace

PlatformQueries::PlatformQueries(Platform& platform, const PlatformFigures& figures,
                                 PositionWaits& waits, QueryMetrics metrics)
    : platform_(platform),
      figures_(figures),
      waits_(waits),
      metrics_(metrics),
      queue_(kQueueCapacity) {
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back(fmt::format("mr-query-{}", i), [this] {
      while (auto work = queue_.Pop()) {
        (*work)();
      }
    });
  }
}

PlatformQueries::~PlatformQueries() {
  waits_.Stop();
  queue_.Close();
  threads_.clear();
}

void PlatformQueries::Post(std::function<Result<std::string>()> work, const Done& done) {
  std::function<void()> job = [this, work = std::move(work), done] {
    const auto begun = platform_.clock().Monotonic();
    done(work());
    metrics_.in_flight.Add(-1);
    metrics_.seconds.Observe(
        std::chrono::duration<double>(platform_.clock().Monotonic() - begun).count());
  };
  metrics_.in_flight.Add(1);
  if (!queue_.TryPush(job)) {
    metrics_.in_flight.Add(-1);
    metrics_.rejected.Add();
    done(Err(ErrorCode::kUnavailable, "too many queries are waiting"));
  }
}

void PlatformQueries::ListStreams(Done done) {
  Post(
      [this]() -> Result<std::string> {
        std::string json = "{\"streams\":[";
        bool first = true;
        for (const StreamInfo& stream : platform_.transport().Streams()) {
          json += first ? "" : ",";
          json += StreamJson(stream);
          first = false;
        }
        return json + "]}";
      },
      done);
}

void PlatformQueries::DescribeStream(std::string stream, Done done) {
  Post(
      [this, stream = std::move(stream)]() -> Result<std::string> {
        const auto info = platform_.transport().FindStream(stream);
        if (!info) {
          return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", stream));
        }
        return StreamJson(*info);
      },
      done);
}

std::string PlatformQueries::StreamJson(const StreamInfo& stream) {
  const StreamDefinition& definition = stream.definition;
  const auto kind = definition.properties.find("kind");
  std::string json =
      fmt::format("{{\"name\":{},\"kind\":{},\"columns\":", JsonText(definition.name),
                  JsonText(kind == definition.properties.end() ? "internal" : kind->second));
  AppendColumns(definition.schema, json);
  json += ",\"partitions\":[";
  for (uint32_t p = 0; p < definition.partitions; ++p) {
    const PartitionInfo info = platform_.transport().Describe(stream.id, PartitionId(p));
    fmt::format_to(std::back_inserter(json),
                   "{}{{\"begin\":{},\"end\":{},\"bytes\":{},\"max_event_time\":{}}}",
                   p == 0 ? "" : ",", info.begin, info.durable_end, info.stored_bytes,
                   TimeJson(info.max_event_time));
  }
  const StreamFigures figures = figures_.Of(stream);
  return json + fmt::format("],\"offsets\":{},\"errors\":{},\"records_per_second\":{:.1f}}}",
                            figures.offsets, figures.errors, figures.records_per_second);
}

void PlatformQueries::ListViews(Done done) {
  Post(
      [this]() -> Result<std::string> {
        std::string json = "{\"views\":[";
        bool first = true;
        const auto served = platform_.views();
        for (const auto& [name, view] : served->views) {
          const auto next = served->next.find(name);
          json += first ? "" : ",";
          json += ViewJson(*view, next == served->next.end() ? nullptr : next->second.get());
          first = false;
        }
        return json + "]}";
      },
      done);
}

std::string PlatformQueries::ViewJson(RunningView& view, RunningView* next) {
  const PipelineStats& stats = view.runner().stats();
  const ViewFigures figures = figures_.Of(view);
  const auto failure = view.failure();
  const double progress = view.Progress();
  std::string json = fmt::format(
      "{{\"name\":{},\"source\":{},\"emit\":\"{}\",\"state\":\"{}\",\"progress\":{:.3f},"
      "\"error\":{},"
      "\"watermark\":{},\"lag\":{},\"rows_per_second\":{:.1f},\"served_rows\":{},\"epochs\":{},",
      JsonText(view.definition().name),
      JsonText(fmt::format("{}", fmt::join(view.definition().inputs, ","))),
      view.definition().emit == EmitMode::kFinal ? "final" : "changes",
      StateOf(view, figures, progress), progress, failure ? JsonText(failure->ToString()) : "null",
      TimeJson(stats.watermark), figures.lag_rows, figures.rows_per_second, figures.rows,
      stats.epochs);
  fmt::format_to(std::back_inserter(json),
                 "\"rows\":{{\"in\":{},\"accepted\":{},\"filtered\":{},\"late\":{},"
                 "\"failed\":{},\"out\":{}}},\"state_keys\":{},\"state_bytes\":{},\"columns\":",
                 stats.rows_in, stats.rows_accepted, stats.rows_filtered, stats.rows_late,
                 stats.rows_failed, stats.rows_out, stats.state_keys, stats.state_bytes);
  AppendColumns(view.runner().plan().output_schema, json);
  return json + fmt::format(",\"rebuild\":{},\"sql\":{}}}", RebuildJson(next),
                            JsonText(view.definition().sql));
}

void PlatformQueries::ReadRecords(serve::RecordsQuery query, Done done) {
  Post([this, query = std::move(query)] { return RunRecords(query); }, done);
}

Result<std::string> PlatformQueries::RunRecords(const serve::RecordsQuery& query) {
  const auto stream = platform_.transport().FindStream(query.stream);
  if (!stream || stream->definition.schema == nullptr) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", query.stream));
  }
  MR_TRY(CheckIsStored(stream->definition));
  const uint32_t partitions = stream->definition.partitions;
  std::vector<Offset> position;
  if (!query.from.empty()) {
    MR_ASSIGN(auto from, ParsePositionIn(*stream, query.from));
    if (!from) {
      return Err(
          Error(ErrorCode::kOffsetOutOfRange,
                fmt::format("view {} was rebuilt since position {}", query.stream, query.from))
              .WithHint("read it from the begin, without from"));
    }
    position = *std::move(from);
  }
  for (auto p = static_cast<uint32_t>(position.size()); p < partitions; ++p) {
    position.push_back(platform_.transport().Describe(stream->id, PartitionId(p)).begin);
  }
  const RowJsonWriter writer(*stream->definition.schema);
  std::string json = "{\"records\":[";
  size_t count = 0;
  for (uint32_t p = 0; p < partitions && count < query.limit; ++p) {
    const auto cursor = platform_.transport().OpenCursor(stream->id, PartitionId(p), position[p],
                                                         Visibility::kDurable);
    while (count < query.limit) {
      MR_ASSIGN(const auto frames, cursor->Poll(kBytesPerPoll));
      if (frames.empty()) {
        break;
      }
      for (const StreamFrame& frame : frames) {
        for (uint32_t row = 0; row < frame.count && count < query.limit; ++row) {
          if (frame.begin + row < position[p]) {
            continue;
          }
          position[p] = frame.begin + row + 1;
          if (frame.type != FrameType::kData) {
            continue;
          }
          fmt::format_to(std::back_inserter(json),
                         "{}{{\"partition\":{},\"offset\":{},\"weight\":{},\"row\":",
                         count == 0 ? "" : ",", p, frame.begin + row, frame.batch->Weight(row));
          writer.Append(*frame.batch, row, json);
          json += '}';
          ++count;
        }
      }
    }
  }
  return json + fmt::format("],\"next\":\"{}\"}}", FormatPositionIn(*stream, position));
}

void PlatformQueries::QueryView(serve::ViewQuery query, Done done) {
  auto views = platform_.views();
  const auto view = views->Find(query.view);
  if (view == nullptr) {
    done(Err(ErrorCode::kSqlUnknownRelation, fmt::format("there is no view {}", query.view)));
    return;
  }
  if (const double progress = view->Progress(); progress < 1 && query.wait_for.empty()) {
    done(Err(
        Error(ErrorCode::kUnavailable, fmt::format("view {} is being built: {:.0f} % are taken in",
                                                   query.view, 100 * progress))
            .WithHint("GET /api/v1/views shows its progress")));
    return;
  }
  auto wait = PositionWait::Make({query.view}, query.wait_for, waits_.frontier());
  if (!wait) {
    done(Err(wait.error()));
    return;
  }
  const auto deadline = platform_.clock().Monotonic() + query.timeout;
  waits_.Add(*std::move(wait), std::move(views), deadline,
             [this, query = std::move(query), done = std::move(done)](const Status& reached) {
               if (reached) {
                 Post([this, query] { return RunView(query); }, done);
                 return;
               }
               if (reached.error().code() == ErrorCode::kUnavailable) {
                 metrics_.rejected.Add();
               }
               done(Err(reached.error().code() != ErrorCode::kPositionNotReached
                            ? reached.error()
                            : Error(ErrorCode::kPositionNotReached,
                                    fmt::format("view {} has not reached {} in time", query.view,
                                                query.wait_for))));
             });
}

Result<std::string> PlatformQueries::RunView(const serve::ViewQuery& query) {
  const auto view = platform_.views()->Find(query.view);
  auto answer = RowsOf(*view, query);
  if (const auto now = platform_.views()->Find(query.view); !answer && now != view) {
    answer = RowsOf(*now, query);  // It was replaced meanwhile.
  }
  return answer;
}

Result<std::string> PlatformQueries::RowsOf(const RunningView& view,
                                            const serve::ViewQuery& query) {
  const PipelineRunner& runner = view.runner();
  const SchemaPtr& schema = runner.plan().output_schema;
  MR_ASSIGN(auto rows, RowQuery::Make(schema, query));
  std::string position;
  if (runner.served_rows() != nullptr) {
    const auto root = runner.served_rows()->root();
    position = SourcePositionText(runner, root.get());
    RowDecoder decoder(schema);
    std::vector<int64_t> counts;
    for (size_t page = 0; page < root->pages(); ++page) {
      counts.clear();
      root->VisitPage(page, [&](std::string_view row, int64_t count) {
        decoder.Add(row);
        counts.push_back(count);
      });
      rows.Add(*decoder.Finish(), counts);
    }
  } else {
    position = SourcePositionText(runner, nullptr);
    for (uint32_t p = 0; p < runner.view_partitions(); ++p) {
      const PartitionInfo info =
          platform_.transport().Describe(runner.view_stream(), PartitionId(p));
      const auto cursor = platform_.transport().OpenCursor(runner.view_stream(), PartitionId(p),
                                                           info.begin, Visibility::kDurable);
      while (true) {
        MR_ASSIGN(const auto frames, cursor->Poll(kBytesPerPoll));
        if (frames.empty()) {
          break;
        }
        for (const StreamFrame& frame : frames) {
          if (frame.type == FrameType::kData) {
            // An append-only view has no negative weights, but a join's row may be there often.
            std::vector<int64_t> counts(frame.batch->rows());
            for (size_t row = 0; row < counts.size(); ++row) {
              counts[row] = frame.batch->Weight(row);
            }
            rows.Add(*frame.batch, counts);
          }
        }
      }
    }
  }
  std::string json = "{";
  rows.AppendAnswer(json);
  return json + fmt::format(",\"position\":{}}}", JsonText(position));
}

}  // namespace millrace
