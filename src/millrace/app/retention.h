#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/metrics.h"
#include "millrace/base/result.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

struct RetentionMetrics {
  RetentionMetrics() = default;
  RetentionMetrics(MetricsRegistry& registry, std::string_view table);

  Counter trimmed;
};

/// Gives up records of tables that are older than their `retention`, by the wall clock at which
/// they came in: whole frames, from the begin of a partition, but none that a view or a sink of the
/// project has still to read, and never the last one. Their segments go once nothing in them is
/// left.
///
/// One thread at a time.
class Retention {
 public:
  static constexpr std::chrono::seconds kPeriod{10};

  Retention(Transport& transport, const Clock& clock) : transport_(transport), clock_(clock) {}

  /// `table` has a retention; `project` says what reads it. Both may go afterwards.
  void Add(const TableDefinition& table, const ProjectDefinition& project,
           const RetentionMetrics& metrics);
  bool empty() const { return tables_.empty(); }

  /// Looks at every partition once and commits what it gives up. Errors: kCorruption, kIoError.
  Status Step();

 private:
  struct Kept {
    std::string table;
    Micros age;
    std::vector<std::string> readers;
    RetentionMetrics metrics;
  };

  /// Where records begin that are still to be kept, or that someone has to read.
  Result<Offset> NewBegin(const StreamInfo& stream, PartitionId partition, const Kept& kept);

  Transport& transport_;
  const Clock& clock_;
  std::vector<Kept> tables_;
};

}  // namespace millrace
