#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/engine/dataflow.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/pipeline_state.h"
#include "millrace/engine/query_input.h"
#include "millrace/engine/query_rows.h"
#include "millrace/plan/query_definition.h"

namespace millrace {

struct QueryLimits {
  std::chrono::nanoseconds deadline{0};  ///< On the monotonic clock.
  size_t memory_bytes = 256 << 20;       ///< Of its state and its result.
  uint64_t rows_max = 100'000;           ///< Of its result.
};

/// Runs one query to the end of its inputs, over a state of its own in memory, on the calling
/// thread. A row on which an expression fails fails the query.
class QueryExecution {
 public:
  struct Environment {
    const Clock& clock;
    WorkerPool& workers;                           ///< Never used but by this query.
    const std::atomic<bool>& ended;                ///< Set: the query is given up.
    const std::atomic<bool>* abandoned = nullptr;  ///< The same, as nobody waits for it; or null.
  };

  /// `plan` is of `query`. `inputs`: the partitions of each input of the plan. All outlive it.
  QueryExecution(const QueryDefinition& query, const PipelinePlan& plan,
                 std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs,
                 const QueryLimits& limits, const Environment& environment);

  /// Call once. Errors: kQueryTimeout, kQueryMemory, kUnavailable once it is ended, those of
  /// expressions, kOffsetOutOfRange, kCorruption, kIoError.
  Result<QueryRows::Result> Run();

  /// After Run: what it did, as EXPLAIN ANALYZE shows it, a line each.
  std::vector<std::string> Describe() const;

 private:
  Status Check(size_t more_bytes) const;
  /// Returns whether there was anything to read.
  Result<bool> ReadInputs();
  Status RunEpoch();
  void NoteErrors();
  Status FirstError() const;

  const QueryDefinition& query_;
  const PipelinePlan& plan_;
  const QueryLimits limits_;
  const Environment environment_;
  std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs_;
  std::vector<uint32_t> partitions_;
  std::vector<uint64_t> input_rows_;
  PipelineState state_;
  Dataflow dataflow_;
  QueryRows rows_;
  const WorkCheck check_;
  std::chrono::nanoseconds begun_;
  std::chrono::nanoseconds ended_at_{0};
  uint64_t result_rows_ = 0;

  /// Rows that failed, by all that they are, with their weights: those of changes that were undone
  /// do not count.
  struct Failure {
    Error error;
    int64_t weight = 0;
  };
  std::map<std::string, Failure> failures_;
  size_t failures_bytes_ = 0;
};

}  // namespace millrace
