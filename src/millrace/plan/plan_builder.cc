#include "millrace/plan/plan_builder.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

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
    properties.is_proctime = input.is_proctime && properties.event_time;
  }
  return properties;
}

/// Where each output column of a projection comes from; a computed one from nowhere.
std::vector<size_t> Origins(const std::vector<ExpressionPtr>& expressions) {
  constexpr auto kNowhere = static_cast<size_t>(-1);
  std::vector<size_t> origins;
  origins.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) {
    origins.push_back(expression->is_column() ? expression->column : kNowhere);
  }
  return origins;
}

PlanProperties AggregateProperties(const AggregateNode& aggregate, const PlanNode& input) {
  PlanProperties properties;
  // Without calls a group's row never changes once it is there.
  properties.append_only =
      aggregate.emit_final || (aggregate.calls.empty() && input.properties.append_only);
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
  fields.reserve(expressions.size());
  for (size_t i = 0; i < expressions.size(); ++i) {
    fields.push_back({names[i], expressions[i]->type, expressions[i]->nullable});
  }
  node->schema = MakeSchema(std::move(fields));
  node->properties = Keep(node->inputs[0]->properties, Origins(expressions));
  node->project.expressions = std::move(expressions);
  return node;
}

PlanPtr MakeWindow(PlanPtr input, WindowNode window) {
  auto node = NewNode(Kind::kWindow, {std::move(input)});
  std::vector<Field> fields = node->inputs[0]->schema->fields();
  const bool nullable = fields[window.time_column].nullable;
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  fields.push_back({"window_start", type, nullable});
  fields.push_back({"window_end", type, nullable});
  node->schema = MakeSchema(std::move(fields));
  node->properties = node->inputs[0]->properties;
  if (window.slide != window.size) {
    node->properties.key.clear();  // A row comes out more than once.
  }
  node->window = window;
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
  node->properties = AggregateProperties(aggregate, *node->inputs[0]);
  node->aggregate = std::move(aggregate);
  return node;
}

PlanPtr MakeJoin(PlanPtr left, PlanPtr right, JoinNode join) {
  MR_CHECK(join.left_keys.size() == join.right_keys.size());
  const bool is_left = join.kind == JoinKind::kLeft;
  const size_t left_size = left->schema->size();
  auto node = NewNode(Kind::kJoin, {std::move(left), std::move(right)});
  std::vector<Field> fields = node->inputs[0]->schema->fields();
  std::set<std::string> names;
  for (const Field& field : fields) {
    names.insert(field.name);
  }
  for (Field field : node->inputs[1]->schema->fields()) {
    const std::string name = field.name;
    for (int number = 2; !names.insert(field.name).second; ++number) {
      field.name = fmt::format("{}_{}", name, number);
    }
    field.nullable = field.nullable || is_left;
    fields.push_back(std::move(field));
  }
  node->schema = MakeSchema(std::move(fields));
  const PlanProperties& l = node->inputs[0]->properties;
  const PlanProperties& r = node->inputs[1]->properties;
  node->properties.append_only = l.append_only && r.append_only && !is_left;
  if (join.as_of) {
    node->properties.append_only = l.append_only;
    node->properties.key = l.key;
  } else if (!l.key.empty() && !r.key.empty()) {
    node->properties.key = l.key;
    for (const size_t column : r.key) {
      node->properties.key.push_back(left_size + column);
    }
  }
  if (join.left_time) {
    node->properties.event_time = join.left_time->start_column;
  }
  node->join = std::move(join);
  return node;
}

PlanPtr MakeUnion(std::vector<PlanPtr> inputs) {
  auto node = NewNode(Kind::kUnion, std::move(inputs));
  std::vector<Field> fields = node->inputs[0]->schema->fields();
  node->properties = {
      .append_only = true, .key = {}, .event_time = node->inputs[0]->properties.event_time};
  for (const PlanPtr& input : node->inputs) {
    for (size_t i = 0; i < fields.size(); ++i) {
      fields[i].nullable = fields[i].nullable || input->schema->field(i).nullable;
    }
    node->properties.append_only &= input->properties.append_only;
    if (input->properties.event_time != node->properties.event_time) {
      node->properties.event_time.reset();
    }
  }
  node->schema = MakeSchema(std::move(fields));
  return node;
}

PlanPtr MakeUpsert(PlanPtr input, UpsertNode upsert) {
  auto node = NewNode(Kind::kUpsert, {std::move(input)});
  std::vector<Field> fields;
  std::vector<size_t> places(node->inputs[0]->schema->size());
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = fields.size();
    if (i != upsert.delete_flag) {
      fields.push_back(node->inputs[0]->schema->field(i));
    }
  }
  node->schema = MakeSchema(std::move(fields));
  node->properties.append_only = false;
  for (const size_t column : upsert.key) {
    node->properties.key.push_back(places[column]);
  }
  node->upsert = std::move(upsert);
  return node;
}

PlanPtr WithInputs(const PlanNode& node, std::vector<PlanPtr> inputs) {
  switch (node.kind) {
    case Kind::kScan:
      break;
    case Kind::kFilter:
      return MakeFilter(std::move(inputs[0]), node.filter.predicate);
    case Kind::kProject:
      return MakeProject(std::move(inputs[0]), node.project.expressions, FieldNames(*node.schema));
    case Kind::kWindow:
      return MakeWindow(std::move(inputs[0]), node.window);
    case Kind::kAggregate:
      return MakeAggregate(std::move(inputs[0]), node.aggregate, FieldNames(*node.schema));
    case Kind::kJoin:
      return MakeJoin(std::move(inputs[0]), std::move(inputs[1]), node.join);
    case Kind::kUnion:
      return MakeUnion(std::move(inputs));
    case Kind::kUpsert:
      return MakeUpsert(std::move(inputs[0]), node.upsert);
  }
  MR_CHECK(false, "a node of kind {} has no input", static_cast<int>(node.kind));
}

ExpressionPtr ColumnOf(const PlanNode& plan, size_t column) {
  const Field& field = plan.schema->field(column);
  return MakeColumn(column, field.type, field.nullable);
}

namespace {

std::optional<WindowOrigin> OriginInWindow(const PlanNode& plan, size_t column) {
  const PlanNode& input = *plan.inputs[0];
  if (column < input.schema->size()) {
    return FindWindowOrigin(input, column);
  }
  if (input.properties.event_time != plan.window.time_column) {
    return std::nullopt;
  }
  return WindowOrigin{.size = plan.window.size,
                      .slide = plan.window.slide,
                      .node = &plan,
                      .is_end = column > input.schema->size()};
}

std::optional<WindowOrigin> OriginInAggregate(const PlanNode& plan, size_t column) {
  const AggregateNode& aggregate = plan.aggregate;
  if (!aggregate.window || column >= aggregate.group_columns.size()) {
    return std::nullopt;
  }
  auto origin = FindWindowOrigin(*plan.inputs[0], aggregate.group_columns[column]);
  if (origin) {
    origin->of_windows = true;
    origin->node = &plan;
  }
  return origin;
}

std::optional<WindowOrigin> OriginInJoin(const PlanNode& plan, size_t column) {
  if (!plan.join.left_time || plan.join.interval) {
    return std::nullopt;
  }
  const size_t left = plan.inputs[0]->schema->size();
  if (plan.join.as_of) {
    return column < left ? FindWindowOrigin(*plan.inputs[0], column) : std::nullopt;
  }
  auto origin = column < left ? FindWindowOrigin(*plan.inputs[0], column)
                              : FindWindowOrigin(*plan.inputs[1], column - left);
  if (origin) {
    origin->of_windows = true;
    origin->node = &plan;
  }
  return origin;
}

std::optional<WindowOrigin> OriginInUnion(const PlanNode& plan, size_t column) {
  std::optional<WindowOrigin> first;
  for (const PlanPtr& input : plan.inputs) {
    const auto origin = FindWindowOrigin(*input, column);
    const bool fits =
        origin &&
        (!first || (origin->size == first->size && origin->slide == first->slide &&
                    origin->is_end == first->is_end && origin->of_windows == first->of_windows));
    if (!fits) {
      return std::nullopt;
    }
    first = origin;
  }
  first->node = &plan;
  return first;
}

}  // namespace

std::optional<WindowOrigin> FindWindowOrigin(const PlanNode& plan, size_t column) {
  switch (plan.kind) {
    case Kind::kScan:
      if (plan.scan.is_view && plan.properties.event_time == column) {
        return WindowOrigin{.node = &plan, .of_windows = true};
      }
      return std::nullopt;
    case Kind::kFilter:
      return FindWindowOrigin(*plan.inputs[0], column);
    case Kind::kProject: {
      const Expression& expression = *plan.project.expressions[column];
      return expression.is_column() ? FindWindowOrigin(*plan.inputs[0], expression.column)
                                    : std::nullopt;
    }
    case Kind::kWindow:
      return OriginInWindow(plan, column);
    case Kind::kAggregate:
      return OriginInAggregate(plan, column);
    case Kind::kJoin:
      return OriginInJoin(plan, column);
    case Kind::kUnion:
      return OriginInUnion(plan, column);
    case Kind::kUpsert:
      break;
  }
  return std::nullopt;
}

}  // namespace millrace
