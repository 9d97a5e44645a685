#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/metrics.h"
#include "millrace/base/result.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

struct RetentionMetrics {
  RetentionMetrics() = default;
  RetentionMetrics(MetricsRegistry& registry, std::string_view table);

  Counter trimmed;
  Gauge full;
};

/// Gives up records of tables that are older than their `retention`, by the wall clock at which
/// they came in, or beyond their `retention_bytes`: whole frames, from the begin of a partition,
/// but none that a view or a sink of the project has still to read, and never the last one. Their
/// segments go once nothing in them is left. What is beyond the bytes goes from all partitions in
/// proportion; a table in which it may not go is told to be full.
///
/// One thread at a time.
class Retention {
 public:
  static constexpr std::chrono::seconds kPeriod{1};
  /// Ages cost more to find out than sizes.
  static constexpr std::chrono::seconds kAgePeriod{10};

  Retention(Transport& transport, const Clock& clock) : transport_(transport), clock_(clock) {}

  /// `ingestor`'s table has a retention, of either kind; `project` says what reads it, and may go
  /// afterwards.
  void Add(StreamIngestor& ingestor, const ProjectDefinition& project,
           const RetentionMetrics& metrics);
  bool empty() const { return tables_.empty(); }

  /// Looks at every partition once and commits what it gives up. Errors: kCorruption, kIoError.
  Status Step();

 private:
  struct Kept {
    StreamIngestor* ingestor = nullptr;
    std::vector<std::string> readers;
    RetentionMetrics metrics;
  };
  struct Trims {
    std::unique_ptr<EpochWriter> epoch;
    std::vector<std::pair<Counter, double>> counts;
  };

  void TrimBySize(const Kept& kept, Trims& trims);
  Status TrimByAge(const Kept& kept, Trims& trims);
  void Trim(const Kept& kept, uint32_t partition, Offset begin, Trims& trims);
  /// Behind what all readers of a partition have read.
  Offset ReadBy(const Kept& kept, PartitionId partition, const PartitionInfo& info);
  /// Where records begin that are young enough, or that someone has to read.
  Result<Offset> YoungFrom(const Kept& kept, PartitionId partition);

  Transport& transport_;
  const Clock& clock_;
  std::chrono::nanoseconds next_ages_{0};
  std::vector<Kept> tables_;
};

}  // namespace millrace
