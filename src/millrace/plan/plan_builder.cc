#include "millrace/plan/plan_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "millrace/base/check.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

std::shared_ptr<PlanNode> NewNode(Kind kind, std::vector<PlanPtr> inputs) {
  auto node = std::make_shared<PlanNode>();
  node->kind = kind;
  node->inputs = std::move(inputs);
  return node;
}

/// Properties after keeping `kept` columns of the input, in that order. A key that is not kept
/// whole is lost.
PlanProperties Keep(const PlanProperties& input, const std::vector<size_t>& kept) {
  PlanProperties properties{.append_only = input.append_only, .key = {}, .event_time = {}};
  const auto place = [&](size_t column) -> std::optional<size_t> {
    const auto at = std::find(kept.begin(), kept.end(), column);
    return at == kept.end() ? std::nullopt : std::optional<size_t>(at - kept.begin());
  };
  for (const size_t column : input.key) {
    const auto at = place(column);
    if (!at) {
      properties.key.clear();
      break;
    }
    properties.key.push_back(*at);
  }
  if (input.event_time) {
    properties.event_time = place(*input.event_time);
  }
  return properties;
}

/// Where each output column of a projection comes from; a computed one from nowhere.
std::vector<size_t> Origins(const std::vector<ExpressionPtr>& expressions) {
  constexpr auto kNowhere = static_cast<size_t>(-1);
  std::vector<size_t> origins;
  for (const ExpressionPtr& expression : expressions) {
    origins.push_back(expression->is_column() ? expression->column : kNowhere);
  }
  return origins;
}

PlanProperties AggregateProperties(const AggregateNode& aggregate) {
  PlanProperties properties;
  properties.append_only = aggregate.emit_final;
  properties.key.resize(aggregate.group_columns.size());
  std::iota(properties.key.begin(), properties.key.end(), size_t{0});
  if (aggregate.window) {
    const auto& groups = aggregate.group_columns;
    const auto at = std::find(groups.begin(), groups.end(), aggregate.window->start_column);
    properties.event_time = static_cast<size_t>(at - groups.begin());
  }
  return properties;
}

}  // namespace

std::vector<std::string> FieldNames(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) {
    names.push_back(field.name);
  }
  return names;
}

PlanPtr MakeScan(std::string relation, bool is_view, const Schema& schema,
                 const PlanProperties& properties) {
  auto node = NewNode(Kind::kScan, {});
  node->schema = MakeSchema(schema.fields());
  node->properties = properties;
  node->scan = {.relation = std::move(relation), .is_view = is_view, .columns = {}};
  node->scan.columns.resize(schema.size());
  std::iota(node->scan.columns.begin(), node->scan.columns.end(), size_t{0});
  return node;
}

PlanPtr MakeNarrowScan(const PlanNode& scan, const std::vector<size_t>& columns) {
  auto node = NewNode(Kind::kScan, {});
  node->scan = {.relation = scan.scan.relation, .is_view = scan.scan.is_view, .columns = {}};
  std::vector<Field> fields;
  for (const size_t column : columns) {
    fields.push_back(scan.schema->field(column));
    node->scan.columns.push_back(scan.scan.columns[column]);
  }
  node->schema = MakeSchema(std::move(fields));
  node->properties = Keep(scan.properties, columns);
  return node;
}

PlanPtr MakeFilter(PlanPtr input, ExpressionPtr predicate) {
  auto node = NewNode(Kind::kFilter, {std::move(input)});
  node->schema = node->inputs[0]->schema;
  node->properties = node->inputs[0]->properties;
  node->filter.predicate = std::move(predicate);
  return node;
}

PlanPtr MakeProject(PlanPtr input, std::vector<ExpressionPtr> expressions,
                    const std::vector<std::string>& names) {
  MR_CHECK(expressions.size() == names.size());
  auto node = NewNode(Kind::kProject, {std::move(input)});
  std::vector<Field> fields;
  for (size_t i = 0; i < expressions.size(); ++i) {
    fields.push_back({names[i], expressions[i]->type, expressions[i]->nullable});
  }
  node->schema = MakeSchema(std::move(fields));
  node->properties = Keep(node->inputs[0]->properties, Origins(expressions));
  node->project.expressions = std::move(expressions);
  return node;
}

PlanPtr MakeTumble(PlanPtr input, TumbleNode tumble) {
  auto node = NewNode(Kind::kTumble, {std::move(input)});
  std::vector<Field> fields = node->inputs[0]->schema->fields();
  const bool nullable = fields[tumble.time_column].nullable;
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  fields.push_back({"window_start", type, nullable});
  fields.push_back({"window_end", type, nullable});
  node->schema = MakeSchema(std::move(fields));
  node->properties = node->inputs[0]->properties;
  node->tumble = tumble;
  return node;
}

PlanPtr MakeAggregate(PlanPtr input, AggregateNode aggregate,
                      const std::vector<std::string>& names) {
  MR_CHECK(names.size() == aggregate.group_columns.size() + aggregate.calls.size());
  auto node = NewNode(Kind::kAggregate, {std::move(input)});
  std::vector<Field> fields;
  for (const size_t column : aggregate.group_columns) {
    const Field& field = node->inputs[0]->schema->field(column);
    fields.push_back({names[fields.size()], field.type, field.nullable});
  }
  for (const AggregateCall& call : aggregate.calls) {
    const bool counts =
        call.kind == AggregateKind::kCount || call.kind == AggregateKind::kCountRows;
    fields.push_back({names[fields.size()], call.result_type, !counts});
  }
  node->schema = MakeSchema(std::move(fields));
  node->properties = AggregateProperties(aggregate);
  node->aggregate = std::move(aggregate);
  return node;
}

PlanPtr WithInput(const PlanNode& node, PlanPtr input) {
  switch (node.kind) {
    case Kind::kScan:
      break;
    case Kind::kFilter:
      return MakeFilter(std::move(input), node.filter.predicate);
    case Kind::kProject:
      return MakeProject(std::move(input), node.project.expressions, FieldNames(*node.schema));
    case Kind::kTumble:
      return MakeTumble(std::move(input), node.tumble);
    case Kind::kAggregate:
      return MakeAggregate(std::move(input), node.aggregate, FieldNames(*node.schema));
  }
  MR_CHECK(false, "a node of kind {} has no input", static_cast<int>(node.kind));
}

std::optional<WindowOrigin> FindWindowOrigin(const PlanNode& plan, size_t column) {
  switch (plan.kind) {
    case Kind::kFilter:
      return FindWindowOrigin(*plan.inputs[0], column);
    case Kind::kProject: {
      const Expression& expression = *plan.project.expressions[column];
      return expression.is_column() ? FindWindowOrigin(*plan.inputs[0], expression.column)
                                    : std::nullopt;
    }
    case Kind::kTumble: {
      const size_t inputs = plan.inputs[0]->schema->size();
      if (column < inputs) {
        return FindWindowOrigin(*plan.inputs[0], column);
      }
      return WindowOrigin{.tumble = &plan, .is_end = column > inputs};
    }
    default:
      return std::nullopt;
  }
}

}  // namespace millrace
