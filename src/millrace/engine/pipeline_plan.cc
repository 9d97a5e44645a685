#include "millrace/engine/pipeline_plan.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "millrace/engine/aggregate/aggregate_operator.h"
#include "millrace/engine/join/as_of_join.h"
#include "millrace/engine/join/join_operator.h"
#include "millrace/engine/rows_operator.h"
#include "millrace/engine/upsert_operator.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

/// Cuts one plan.
class PlanCutter {
 public:
  PlanCutter(const ProjectDefinition& project, PipelinePlan& plan)
      : project_(project), plan_(plan) {}

  Status Cut(const PlanNode& root) {
    MR_TRY(AddInputs(root));
    MR_ASSIGN(const auto branches, Follow(root));
    for (const Branch& branch : branches) {
      AddLeg(branch, PipelineLeg::kNone, 0);
    }
    return {};
  }

 private:
  /// A way from an input or an operator through stateless nodes.
  struct Branch {
    size_t input = PipelineLeg::kNone;
    size_t from_operator = PipelineLeg::kNone;
    const PlanNode* scan = nullptr;  // With `input`.
    std::vector<const PlanNode*> nodes;
  };

  /// All columns of a stream that some scan reads.
  Status AddInputs(const PlanNode& node) {
    if (node.kind == Kind::kScan) {
      return AddInput(node.scan);
    }
    for (const PlanPtr& input : node.inputs) {
      MR_TRY(AddInputs(*input));
    }
    return {};
  }

  Status AddInput(const ScanNode& scan) {
    const auto [place, is_new] = inputs_.try_emplace(scan.relation, plan_.inputs.size());
    if (is_new) {
      MR_ASSIGN(PipelineInput input, DescribeInput(scan));
      plan_.inputs.push_back(std::move(input));
    }
    PipelineInput& input = plan_.inputs[place->second];
    std::set<size_t> columns(input.columns.begin(), input.columns.end());
    columns.insert(scan.columns.begin(), scan.columns.end());
    input.columns.assign(columns.begin(), columns.end());
    std::vector<Field> fields;
    fields.reserve(input.columns.size());
    for (const size_t column : input.columns) {
      fields.push_back(SchemaOf(scan)->field(column));
    }
    input.schema = MakeSchema(std::move(fields));
    return {};
  }

  Result<PipelineInput> DescribeInput(const ScanNode& scan) const {
    PipelineInput input{.stream = scan.relation, .columns = {}, .schema = nullptr};
    if (scan.is_view) {
      const ViewDefinition* view = project_.FindView(scan.relation);
      if (view == nullptr) {
        return Err(ErrorCode::kStreamNotFound, fmt::format("view {}", scan.relation));
      }
      input.is_view = true;
      input.event_time = view->plan->properties.event_time;
      return input;
    }
    const TableDefinition* table = project_.FindTable(scan.relation);
    if (table == nullptr) {
      return Err(ErrorCode::kStreamNotFound, fmt::format("table {}", scan.relation));
    }
    input.event_time = table->event_time;
    input.watermark_delay = table->watermark_delay;
    return input;
  }

  SchemaPtr SchemaOf(const ScanNode& scan) const {
    return scan.is_view ? project_.FindView(scan.relation)->plan->schema
                        : project_.FindTable(scan.relation)->schema;
  }

  Result<std::vector<Branch>> Follow(const PlanNode& node) {
    if (node.kind == Kind::kScan) {
      return std::vector<Branch>{
          {.input = inputs_.at(node.scan.relation), .scan = &node, .nodes = {}}};
    }
    if (node.kind == Kind::kAggregate || node.kind == Kind::kJoin || node.kind == Kind::kUpsert) {
      MR_ASSIGN(const size_t op, OperatorOf(node));
      return std::vector<Branch>{{.from_operator = op, .nodes = {}}};
    }
    if (node.kind == Kind::kUnion) {
      std::vector<Branch> all;
      for (const PlanPtr& input : node.inputs) {
        MR_ASSIGN(auto branches, Follow(*input));
        std::ranges::move(branches, std::back_inserter(all));
      }
      return all;
    }
    MR_ASSIGN(auto branches, Follow(*node.inputs[0]));
    for (Branch& branch : branches) {
      branch.nodes.push_back(&node);
    }
    return branches;
  }

  /// The operator of a node; one for all nodes that compute the same.
  Result<size_t> OperatorOf(const PlanNode& node) {
    const uint64_t fingerprint = Fingerprint(node);
    if (const auto found = operators_.find(fingerprint); found != operators_.end()) {
      return found->second;
    }
    std::vector<std::vector<Branch>> ports;
    for (const PlanPtr& input : node.inputs) {
      MR_ASSIGN(auto branches, Follow(*input));
      ports.push_back(std::move(branches));
    }
    MR_ASSIGN(auto made, MakeOperator(node));
    const size_t op = plan_.operators.size();
    plan_.operators.push_back(std::move(made));
    operators_[fingerprint] = op;
    for (size_t port = 0; port < ports.size(); ++port) {
      for (const Branch& branch : ports[port]) {
        AddLeg(branch, op, port);
        NoteLateness(branch, TimeOf(node, port));
      }
    }
    return op;
  }

  static Result<std::unique_ptr<const Operator>> MakeOperator(const PlanNode& node) {
    if (node.kind == Kind::kJoin && node.join.as_of) {
      return std::make_unique<AsOfJoinOperator>(node);
    }
    if (node.kind == Kind::kJoin) {
      return std::make_unique<JoinOperator>(node);
    }
    if (node.kind == Kind::kUpsert) {
      return std::make_unique<UpsertOperator>(node);
    }
    MR_ASSIGN(auto aggregate, AggregateOperator::Make(node));
    return aggregate;
  }

  /// What the rows of a port are late for.
  static const std::optional<WindowKey>& TimeOf(const PlanNode& node, size_t port) {
    if (node.kind == Kind::kJoin) {
      return port == 0 ? node.join.left_time : node.join.right_time;
    }
    return node.aggregate.window;
  }

  void NoteLateness(const Branch& branch, const std::optional<WindowKey>& window) {
    if (branch.input == PipelineLeg::kNone || !window) {
      return;
    }
    plan_.has_late_rows = true;
    std::optional<Micros>& grace = plan_.inputs[branch.input].grace_min;
    grace = std::min(grace.value_or(window->grace), window->grace);
  }

  void AddLeg(const Branch& branch, size_t to_operator, size_t port) {
    PipelineLeg leg{.input = branch.input,
                    .from_operator = branch.from_operator,
                    .chain = {},
                    .to_operator = to_operator,
                    .port = port};
    if (branch.scan != nullptr) {
      const auto& columns = plan_.inputs[branch.input].columns;
      if (branch.scan->scan.columns != columns) {
        std::vector<size_t> places;
        places.reserve(branch.scan->scan.columns.size());
        for (const size_t column : branch.scan->scan.columns) {
          places.push_back(
              static_cast<size_t>(std::ranges::find(columns, column) - columns.begin()));
        }
        leg.chain.AddSelect(std::move(places), branch.scan->schema);
      }
    }
    for (const PlanNode* node : branch.nodes) {
      leg.chain.Add(*node);
    }
    plan_.legs.push_back(std::move(leg));
  }

  const ProjectDefinition& project_;
  PipelinePlan& plan_;
  std::map<std::string, size_t> inputs_;
  std::map<uint64_t, size_t> operators_;  // By fingerprint.
};

/// The operator whose rows are the view's, when all of them come from it.
size_t FindRowsOperator(const PipelinePlan& plan) {
  size_t found = PipelineLeg::kNone;
  for (const PipelineLeg& leg : plan.legs) {
    if (leg.to_operator != PipelineLeg::kNone) {
      continue;
    }
    if (found != PipelineLeg::kNone || leg.from_operator == PipelineLeg::kNone ||
        !plan.operators[leg.from_operator]->remembers_rows()) {
      return PipelineLeg::kNone;
    }
    found = leg.from_operator;
  }
  return found;
}

/// Lets an operator of its own keep the view's rows.
size_t AddRowsOperator(PipelinePlan& plan) {
  const size_t op = plan.operators.size();
  plan.operators.push_back(std::make_unique<RowsOperator>(plan.output_schema));
  for (PipelineLeg& leg : plan.legs) {
    if (leg.to_operator == PipelineLeg::kNone) {
      leg.to_operator = op;
    }
  }
  plan.legs.push_back({.from_operator = op});
  return op;
}

Result<std::unique_ptr<PipelinePlan>> Cut(std::string name, const PlanNode& root,
                                          const ProjectDefinition& project) {
  auto plan = std::make_unique<PipelinePlan>();
  plan->name = std::move(name);
  plan->output_schema = root.schema;
  plan->key = root.properties.key;
  plan->append_only = root.properties.append_only;
  plan->has_event_time = root.properties.event_time.has_value();
  plan->fingerprint = Fingerprint(root);
  MR_TRY(PlanCutter(project, *plan).Cut(root));
  if (!plan->append_only) {
    plan->rows_operator = FindRowsOperator(*plan);
    if (plan->rows_operator == PipelineLeg::kNone) {
      plan->rows_operator = AddRowsOperator(*plan);
    }
  }
  return plan;
}

}  // namespace

Result<PipelineInput> PipelineInput::AsStored(const Schema& known, const Schema& stored) const {
  PipelineInput input = *this;
  const auto move = [&](size_t& column) -> Status {
    const Field& field = known.field(column);
    const auto index = stored.Find(field.name);
    if (!index || stored.field(*index).type != field.type) {
      return Err(ErrorCode::kDefinitionChanged,
                 fmt::format("column {} of {} is gone or has another type", field.name, stream));
    }
    column = *index;
    return {};
  };
  for (size_t& column : input.columns) {
    MR_TRY(move(column));
  }
  if (input.event_time) {
    MR_TRY(move(*input.event_time));
  }
  return input;
}

Result<std::unique_ptr<const PipelinePlan>> PipelinePlan::Make(const ViewDefinition& view,
                                                               const ProjectDefinition& project) {
  MR_ASSIGN(std::unique_ptr<PipelinePlan> plan, Cut(view.name, *view.plan, project));
  plan->is_read = std::ranges::any_of(project.views, [&](const ViewDefinition& other) {
    return std::ranges::find(other.inputs, view.name) != other.inputs.end();
  });
  return plan;
}

Result<std::unique_ptr<const PipelinePlan>> PipelinePlan::Make(const QueryDefinition& query,
                                                               const ProjectDefinition& project) {
  MR_ASSIGN(std::unique_ptr<PipelinePlan> plan, Cut("query", *query.plan, project));
  plan->has_late_rows = false;
  for (PipelineInput& input : plan->inputs) {
    input.grace_min.reset();
  }
  return plan;
}

}  // namespace millrace
