#include "millrace/sql/aggregation.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "millrace/expr/functions.h"
#include "millrace/plan/plan_builder.h"

namespace millrace::internal {

namespace {

/// The columns that the aggregation reads, by number; computed ones need a Project.
class Inputs {
 public:
  explicit Inputs(const PlanNode& input) : input_(input) {}

  size_t Add(const ExpressionPtr& expression) {
    const auto at = std::ranges::find_if(expressions_, [&](const ExpressionPtr& each) {
      return SameExpression(*each, *expression);
    });
    if (at == expressions_.end()) {
      expressions_.push_back(expression);
      return expressions_.size() - 1;
    }
    return static_cast<size_t>(at - expressions_.begin());
  }

  bool NeedsProject() const {
    return !std::ranges::all_of(expressions_,
                                [](const ExpressionPtr& each) { return each->is_column(); });
  }
  /// The column of number `index` in the plan that the aggregate reads.
  size_t Column(size_t index) const { return NeedsProject() ? index : expressions_[index]->column; }
  PlanPtr Plan(const PlanPtr& input) const {
    return NeedsProject() ? MakeProject(input, expressions_, Names()) : input;
  }

 private:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    names.reserve(expressions_.size());
    for (const ExpressionPtr& each : expressions_) {
      names.push_back(each->is_column() ? input_.schema->field(each->column).name
                                        : each->ToString(FieldNames(*input_.schema)));
    }
    return names;
  }

  const PlanNode& input_;
  std::vector<ExpressionPtr> expressions_;
};

/// The window that some group is the start or end of.
std::optional<WindowOrigin> GroupedWindow(const Grouping& grouping) {
  for (const ExpressionPtr& group : grouping.groups) {
    const auto origin = group->is_column() && group->column < grouping.input->schema->size()
                            ? FindWindowOrigin(*grouping.input, group->column)
                            : std::nullopt;
    if (origin) {
      return origin;
    }
  }
  return std::nullopt;
}

struct WindowColumns {
  std::optional<size_t> start;
  std::optional<size_t> end;
};

/// The columns that hold the window's start and end; grouped ones before others.
WindowColumns FindColumns(const Grouping& grouping, const WindowOrigin& window) {
  const PlanNode& input = *grouping.input;
  std::vector<size_t> order;
  for (const ExpressionPtr& group : grouping.groups) {
    if (group->is_column() && group->column < input.schema->size()) {
      order.push_back(group->column);
    }
  }
  for (size_t i = 0; i < input.schema->size(); ++i) {
    order.push_back(i);
  }
  WindowColumns columns;
  for (const size_t column : order) {
    const auto origin = FindWindowOrigin(input, column);
    if (origin && origin->node == window.node) {
      std::optional<size_t>& side = origin->is_end ? columns.end : columns.start;
      side = side.value_or(column);
    }
  }
  return columns;
}

ExpressionPtr InputColumn(const PlanNode& input, size_t column) {
  const Field& field = input.schema->field(column);
  return MakeColumn(column, field.type, field.nullable);
}

/// `column` moved by `micros`, for the side of the window that an inlined view left out.
ExpressionPtr Moved(const ExpressionPtr& column, Micros micros) {
  const ScalarFunction& plus =
      GetFunction("+", std::array{TypeId::kTimestamptz, TypeId::kInterval});
  return MakeCall(plus, {column, MakeLiteral(Value(Interval{.micros = micros}),
                                             DataType::Of(TypeId::kInterval))});
}

/// What a group is kept under: equal intervals, such as 1 month and 30 days, have different bytes.
ExpressionPtr KeyOf(const ExpressionPtr& group) {
  if (group->type.id != TypeId::kInterval) {
    return group;
  }
  return MakeCall(GetFunction("justify_interval", std::array{TypeId::kInterval}), {group});
}

/// GROUP BY a, a has one group column.
std::vector<ExpressionPtr> WithoutRepeats(const std::vector<ExpressionPtr>& groups) {
  std::vector<ExpressionPtr> kept;
  for (const ExpressionPtr& group : groups) {
    if (std::ranges::none_of(
            kept, [&](const ExpressionPtr& each) { return SameExpression(*each, *group); })) {
      kept.push_back(group);
    }
  }
  return kept;
}

std::vector<std::string> OutputNames(const PlanNode& input, const AggregateNode& aggregate) {
  std::vector<std::string> names;
  names.reserve(aggregate.group_columns.size());
  for (const size_t column : aggregate.group_columns) {
    names.push_back(input.schema->field(column).name);
  }
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    std::string name = fmt::format("agg_{}", i + 1);
    while (std::ranges::find(names, name) != names.end()) {
      name += "_";
    }
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

Bound<Aggregation> Aggregation::Build(const Grouping& grouping, const SelectOptions& options,
                                      int offset) {
  Aggregation aggregation;
  aggregation.grouping_ = grouping;
  aggregation.grouping_.groups = WithoutRepeats(grouping.groups);
  const PlanNode& input = *grouping.input;
  Inputs inputs(input);
  std::vector<size_t> group_inputs;
  group_inputs.reserve(aggregation.grouping_.groups.size());
  for (const ExpressionPtr& group : aggregation.grouping_.groups) {
    group_inputs.push_back(inputs.Add(KeyOf(group)));
  }
  std::optional<size_t> start_input;
  std::optional<size_t> end_input;
  AggregateNode aggregate;
  if (const auto window = GroupedWindow(grouping)) {
    const WindowColumns columns = FindColumns(grouping, *window);
    const Micros size = window->size;
    const ExpressionPtr start = columns.start ? InputColumn(input, *columns.start)
                                              : Moved(InputColumn(input, *columns.end), -size);
    start_input = inputs.Add(start);
    if (size != 0) {
      end_input = inputs.Add(columns.end ? InputColumn(input, *columns.end) : Moved(start, size));
    }
    if (std::ranges::find(group_inputs, *start_input) == group_inputs.end()) {
      group_inputs.push_back(*start_input);  // window_end alone was grouped: the same groups.
    }
    aggregate.window =
        WindowKey{.size = size, .grace = options.grace, .of_windows = window->of_windows};
  } else if (options.emit_final) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "emit = 'final' needs GROUP BY window_start of a window over the event time",
                 "read FROM tumble(table, event_time column, interval '...')");
  }
  std::vector<size_t> argument_inputs;
  argument_inputs.reserve(grouping.aggregates.size());
  for (const AggregateSpec& spec : grouping.aggregates) {
    argument_inputs.push_back(spec.argument == nullptr ? 0 : inputs.Add(spec.argument));
  }
  const PlanPtr plan = inputs.Plan(grouping.input);
  for (const size_t group : group_inputs) {
    aggregate.group_columns.push_back(inputs.Column(group));
  }
  for (size_t i = 0; i < grouping.aggregates.size(); ++i) {
    const AggregateSpec& spec = grouping.aggregates[i];
    const size_t argument = spec.argument == nullptr ? 0 : inputs.Column(argument_inputs[i]);
    aggregate.calls.push_back(
        {spec.kind, argument, spec.result_type, spec.distinct, spec.separator});
  }
  if (aggregate.window) {
    aggregate.window->start_column = inputs.Column(*start_input);
    if (end_input) {
      aggregate.window->end_column = inputs.Column(*end_input);
    }
    aggregate.emit_final = options.emit_final;
  }
  auto names = OutputNames(*plan, aggregate);
  aggregation.plan_ = MakeAggregate(plan, std::move(aggregate), names);
  return aggregation;
}

Bound<ExpressionPtr> Aggregation::Rewrite(const ExpressionPtr& expression,
                                          const ExpressionBinder& binder, int offset) const {
  const int known = binder.OffsetOf(*expression);
  const int here = known >= 0 ? known : offset;
  const auto& groups = grouping_.groups;
  const auto group = std::ranges::find_if(
      groups, [&](const ExpressionPtr& each) { return SameExpression(*each, *expression); });
  if (group != groups.end()) {
    return InputColumn(*plan_, static_cast<size_t>(group - groups.begin()));
  }
  if (expression->is_column()) {
    const size_t inputs = grouping_.input->schema->size();
    if (expression->column < inputs) {
      return ErrAt(here, ErrorCode::kSqlGrouping,
                   "a column must be in GROUP BY or in an aggregate function: " +
                       grouping_.input->schema->field(expression->column).name);
    }
    const size_t first_call = plan_->aggregate.group_columns.size();
    return InputColumn(*plan_, first_call + expression->column - inputs);
  }
  if (expression->arguments.empty()) {
    return expression;
  }
  std::vector<ExpressionPtr> arguments;
  for (const ExpressionPtr& argument : expression->arguments) {
    MR_ASSIGN(ExpressionPtr rewritten, Rewrite(argument, binder, here));
    arguments.push_back(std::move(rewritten));
  }
  return WithArguments(*expression, std::move(arguments));
}

}  // namespace millrace::internal
