#include "golden_batch.h"

#include <atomic>
#include <chrono>
#include <utility>

#include "millrace/engine/query_execution.h"
#include "millrace/engine/worker_pool.h"

namespace millrace::golden {

Result<RowCounts> BatchRows(const ViewDefinition& view, const ProjectDefinition& project,
                            Transport& transport, const Clock& clock) {
  QueryDefinition query;
  query.plan = view.plan;
  query.columns = view.plan->schema->size();
  query.inputs = view.inputs;
  MR_ASSIGN(const auto plan, PipelinePlan::Make(query, project));
  std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs;
  for (const PipelineInput& input : plan->inputs) {
    const auto stream = transport.FindStream(input.stream);
    auto& partitions = inputs.emplace_back();
    for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
      const PartitionInfo info = transport.Describe(stream->id, PartitionId(p));
      partitions.push_back(MakeStreamInput(
          input, transport.OpenCursor(stream->id, PartitionId(p), info.begin, Visibility::kDurable),
          info.durable_end));
    }
  }
  WorkerPool worker(1);
  const std::atomic<bool> ended = false;
  QueryExecution execution(query, *plan, std::move(inputs),
                           {.deadline = clock.Monotonic() + std::chrono::hours(1)},
                           {.clock = clock, .workers = worker, .ended = ended});
  MR_ASSIGN(const QueryRows::Result result, execution.Run());
  RowCounts rows;
  for (size_t row = 0; row < result.rows->rows(); ++row) {
    ++rows[RowLine(*result.rows, row)];
  }
  return rows;
}

}  // namespace millrace::golden
