#include "millrace/engine/pipeline_plan.h"

#include <fmt/format.h>

namespace millrace {

namespace {

/// From the scan to the result; only plans with one input per node.
Result<std::vector<const PlanNode*>> Chain(const PlanNode& root) {
  std::vector<const PlanNode*> nodes;
  for (const PlanNode* node = &root;; node = node->inputs.front().get()) {
    nodes.insert(nodes.begin(), node);
    if (node->inputs.empty()) {
      break;
    }
    if (node->inputs.size() > 1) {
      return Err(ErrorCode::kNotImplemented, "plans with several inputs are not there yet");
    }
  }
  if (nodes.front()->kind != PlanNode::Kind::kScan) {
    return Err(ErrorCode::kNotImplemented, "plans without a scan are not there yet");
  }
  return nodes;
}

}  // namespace

Result<std::unique_ptr<const PipelinePlan>> PipelinePlan::Make(const ViewDefinition& view,
                                                               const TableDefinition& source) {
  MR_ASSIGN(const auto nodes, Chain(*view.plan));
  auto plan = std::make_unique<PipelinePlan>();
  plan->name = view.name;
  plan->source = source.name;
  plan->event_time = source.event_time;
  plan->watermark_delay = source.watermark_delay;
  plan->emit = view.emit;
  plan->scan_schema = nodes.front()->schema;
  plan->source_columns = nodes.front()->scan.columns;
  plan->output_schema = view.plan->schema;
  plan->fingerprint = Fingerprint(*view.plan);
  if (nodes.front()->scan.is_view) {
    return Err(ErrorCode::kNotImplemented, "views over materialized views are not there yet");
  }
  for (const PlanNode* node : std::span(nodes).subspan(1)) {
    if (node->kind != PlanNode::Kind::kAggregate) {
      (plan->group_by ? plan->after : plan->before).Add(*node);
      continue;
    }
    if (plan->group_by) {
      return Err(ErrorCode::kNotImplemented, "aggregations over aggregations are not there yet");
    }
    MR_ASSIGN(plan->group_by, GroupBy::Make(*node));
    plan->has_late_rows = node->aggregate.window.has_value();
  }
  return plan;
}

}  // namespace millrace
