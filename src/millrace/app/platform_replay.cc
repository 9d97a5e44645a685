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
    const bool is_view = platform_.views()->Find(stream) != nullptr;
    return done(
        Err(Error(ErrorCode::kStreamNotFound,
                  fmt::format("there is no table {}{}", stream, is_view ? ": it is a view" : ""))
                .WithHint(is_view ? "a view whose query is repaired is built from all records again"
                                  : "name the table, not its stream of errors")));
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
  const Connector* const connector = FindConnector(ingestor.table());
  ErrorReplay::Format format;
  if (connector != nullptr && connector->error_format != nullptr) {
    MR_ASSIGN(format, connector->error_format(ingestor));
  }
  MR_ASSIGN(const ErrorReplay::Outcome outcome,
            ErrorReplay(ingestor, platform_.transport(), std::move(format),
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
