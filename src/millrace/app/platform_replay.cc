#include "millrace/app/platform_replay.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "millrace/app/logger.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/error_replay.h"

namespace millrace {

PlatformReplay::PlatformReplay(Platform& platform, ReplayMetrics metrics)
    : platform_(platform), metrics_(metrics) {
  thread_ = Thread("mr-replay", [this] {
    while (auto job = queue_.Pop()) {
      Answer(*job, Run(*job->ingestor));
    }
  });
}

PlatformReplay::~PlatformReplay() {
  ended_ = true;
  while (auto job = queue_.TryPop()) {
    Answer(*job, Err(ErrorCode::kUnavailable, "the server is stopping"));
  }
  queue_.Close();
  thread_.Join();
}

void PlatformReplay::Replay(std::string stream, Done done) {
  StreamIngestor* const ingestor = platform_.FindIngestor(stream);
  if (ingestor == nullptr) {
    return done(Err(Error(ErrorCode::kStreamNotFound, fmt::format("there is no table {}", stream))
                        .WithHint("name the table, not its stream of errors")));
  }
  const TableDefinition& table = ingestor->table();
  const Connector* const connector = FindConnector(table);
  const bool is_json = connector == nullptr || connector->errors_are_json == nullptr ||
                       connector->errors_are_json(table);
  if (!is_json || table.is_direct) {
    return done(Err(Error(ErrorCode::kNotImplemented,
                          fmt::format("errors of table {} cannot be replayed yet: {}", stream,
                                      is_json ? "it is not stored" : "its records are not JSON"))
                        .WithHint("put the repaired records into a file that the table reads")));
  }
  Job job{.ingestor = ingestor, .done = std::move(done)};
  metrics_.in_flight.Add(1);
  if (!queue_.TryPush(job)) {
    metrics_.in_flight.Add(-1);
    metrics_.rejected.Add();
    job.done(Err(ErrorCode::kTooManyRequests,
                 fmt::format("{} replays are waiting already", kWaitingMax)));
  }
}

void PlatformReplay::Answer(const Job& job, Result<std::string> answer) {
  metrics_.in_flight.Add(-1);
  if (!answer) {
    metrics_.failed.Add();
  }
  job.done(std::move(answer));
}

Result<std::string> PlatformReplay::Run(StreamIngestor& ingestor) {
  MR_ASSIGN(const ErrorReplay::Outcome outcome,
            ErrorReplay(ingestor, platform_.transport(),
                        platform_.FindSource(ingestor.table().name) != nullptr, ended_)
                .Run());
  metrics_.accepted_records.Add(static_cast<double>(outcome.accepted));
  metrics_.refused_records.Add(static_cast<double>(outcome.refused));
  std::map<PartitionId, Offset> ends;
  for (const AppendedRange& range : outcome.ranges) {
    ends[range.partition] = range.end;
  }
  std::string position;
  for (const auto& [partition, end] : ends) {
    fmt::format_to(std::back_inserter(position), "{}{}:{}", position.empty() ? "" : ",", partition,
                   end);
  }
  MR_LOG(kAppLog, kInfo, "refused records were fed back", {"table", ingestor.table().name},
         {"accepted", outcome.accepted}, {"refused", outcome.refused},
         {"skipped", outcome.skipped});
  return fmt::format(R"({{"accepted":{},"rejected":{},"skipped":{},"position":"{}"}})",
                     outcome.accepted, outcome.refused, outcome.skipped, position);
}

}  // namespace millrace
