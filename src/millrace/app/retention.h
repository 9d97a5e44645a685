#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/app/project_changes.h"
#include "millrace/base/clock.h"
#include "millrace/base/metrics.h"
#include "millrace/base/result.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

struct RetentionMetrics {
  RetentionMetrics() = default;
  /// `may_be_full`: it is a table's, and not its error rows'.
  RetentionMetrics(MetricsRegistry& registry, std::string_view table, bool may_be_full);

  Counter trimmed;
  Gauge full;
};

/// Gives up records of tables that are older than their `retention`, by the wall clock at which
/// they came in, or beyond their `retention_bytes`: whole frames, from the begin of a partition,
/// but none that a view or a sink of the project has still to read, and never the last one. Their
/// segments go once nothing in them is left. What is beyond the bytes goes from all partitions in
/// proportion; a table in which it may not go is told to be full.
///
/// Error rows of a table go by the same rules, on their own; error rows and late rows of a view by
/// the longest `retention` of the tables behind it, unless one keeps its records for ever.
///
/// One thread at a time.
class Retention {
 public:
  static constexpr std::chrono::seconds kPeriod{1};
  /// Ages cost more to find out than sizes.
  static constexpr std::chrono::seconds kAgePeriod{10};

  /// `metrics` may be null.
  Retention(Transport& transport, const Clock& clock, MetricsRegistry* metrics)
      : transport_(transport), clock_(clock), metrics_(metrics) {}

  /// Looks after the ingestor's table, and its error rows; `project` and `beside` say what reads
  /// it, and may go afterwards. Does nothing for a table without retention.
  void AddTable(StreamIngestor& ingestor, const ProjectDefinition& project,
                const ProjectChanges::Beside& beside);
  /// Looks after the error rows and late rows of a view.
  void AddView(const ViewDefinition& view, const ProjectDefinition& project);
  bool empty() const { return kept_.empty(); }

  /// Looks at every partition once and commits what it gives up. Errors: kCorruption, kIoError.
  Status Step();

 private:
  struct Reader {
    std::string name;
    std::string while_there = {};  ///< A stream without which it does not read; empty: always does.
  };
  /// What of a stream is kept.
  struct Kept {
    std::string stream;
    std::optional<Micros> retention;
    std::optional<size_t> retention_bytes;
    std::vector<Reader> readers = {};
    StreamIngestor* ingestor = nullptr;  ///< Is told when the table is full; null: never is.
    RetentionMetrics metrics = {};
  };
  struct Trims {
    std::unique_ptr<EpochWriter> epoch;
    std::vector<std::pair<Counter, double>> counts;
  };

  void Add(Kept kept);
  void TrimBySize(const Kept& kept, const StreamInfo& stream, Trims& trims);
  Status TrimByAge(const Kept& kept, const StreamInfo& stream, Trims& trims);
  void Trim(const Kept& kept, StreamId stream, PartitionId partition, Offset begin, Trims& trims);
  static void TellWhetherFull(const Kept& kept, size_t bytes, bool is_full);
  /// Behind what all readers of a partition have read.
  Offset ReadBy(const Kept& kept, StreamId stream, PartitionId partition,
                const PartitionInfo& info);
  /// Where records begin that are young enough, or that someone has to read.
  Result<Offset> YoungFrom(const Kept& kept, StreamId stream, PartitionId partition);

  Transport& transport_;
  const Clock& clock_;
  MetricsRegistry* const metrics_;
  std::chrono::nanoseconds next_ages_{0};
  std::vector<Kept> kept_;
};

}  // namespace millrace
