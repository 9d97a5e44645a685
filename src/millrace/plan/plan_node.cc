#include "millrace/plan/plan_node.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/checksum.h"
#include "millrace/data/text_format.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

std::string Joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    out += out.empty() ? "" : ", ";
    out += part;
  }
  return out;
}

std::string ProjectText(const PlanNode& node) {
  const auto names = FieldNames(*node.inputs[0]->schema);
  std::vector<std::string> parts;
  for (size_t i = 0; i < node.project.expressions.size(); ++i) {
    std::string text = node.project.expressions[i]->ToString(names);
    const std::string& name = node.schema->field(i).name;
    text += text == name ? "" : " AS " + name;
    parts.push_back(std::move(text));
  }
  return "Project " + Joined(parts);
}

std::string_view AggregateName(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kCountRows:
    case AggregateKind::kCount:
      return "count";
    case AggregateKind::kSum:
      return "sum";
    case AggregateKind::kMin:
      return "min";
    case AggregateKind::kMax:
      return "max";
    case AggregateKind::kAvg:
      return "avg";
    case AggregateKind::kVarPop:
      return "var_pop";
    case AggregateKind::kVarSamp:
      return "var_samp";
    case AggregateKind::kStddevPop:
      return "stddev_pop";
    case AggregateKind::kStddevSamp:
      return "stddev_samp";
    case AggregateKind::kBoolAnd:
      return "bool_and";
    case AggregateKind::kBoolOr:
      return "bool_or";
    case AggregateKind::kFirst:
      return "first";
    case AggregateKind::kLast:
      return "last";
    case AggregateKind::kStringAgg:
      return "string_agg";
    case AggregateKind::kJsonbAgg:
      return "jsonb_agg";
    case AggregateKind::kArrayAgg:
      return "array_agg";
  }
  MR_CHECK(false, "aggregate {}", static_cast<int>(kind));
}

std::string CallText(const AggregateCall& call, const std::vector<std::string>& names) {
  const bool all = call.kind == AggregateKind::kCountRows;
  const std::string separator =
      call.kind == AggregateKind::kStringAgg
          ? ", " + MakeLiteral(Value(call.separator), DataType::Of(TypeId::kText))->ToString({})
          : "";
  return fmt::format("{}({}{}{})", AggregateName(call.kind), call.distinct ? "DISTINCT " : "",
                     all ? "*" : names[call.argument], separator);
}

std::string Duration(Micros micros) { return FormatInterval({.micros = micros}); }

std::string AggregateText(const PlanNode& node) {
  const AggregateNode& aggregate = node.aggregate;
  const auto names = FieldNames(*node.inputs[0]->schema);
  std::vector<std::string> groups;
  groups.reserve(aggregate.group_columns.size());
  for (const size_t column : aggregate.group_columns) {
    groups.push_back(names[column]);
  }
  std::vector<std::string> calls;
  calls.reserve(aggregate.calls.size());
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    calls.push_back(CallText(aggregate.calls[i], names) + " AS " +
                    node.schema->field(groups.size() + i).name);
  }
  std::string text = "Aggregate";
  text += groups.empty() ? "" : " by " + Joined(groups);
  text += calls.empty() ? "" : ": " + Joined(calls);
  if (aggregate.window) {
    text += fmt::format(" [window {} of {}, grace {}{}]", names[aggregate.window->start_column],
                        Duration(aggregate.window->size), Duration(aggregate.window->grace),
                        aggregate.emit_final ? ", final" : "");
  }
  return text;
}

std::string WindowText(const PlanNode& node) {
  const WindowNode& window = node.window;
  const bool hops = window.slide != window.size;
  std::string text =
      fmt::format("{} {} by {}", hops ? "Hop" : "Tumble",
                  node.inputs[0]->schema->field(window.time_column).name, Duration(window.size));
  text += hops ? " every " + Duration(window.slide) : "";
  text += window.origin != 0 ? " from " + Duration(window.origin) : "";
  return text;
}

std::string JoinText(const PlanNode& node) {
  const JoinNode& join = node.join;
  const auto left = FieldNames(*node.inputs[0]->schema);
  const auto right = FieldNames(*node.inputs[1]->schema);
  std::vector<std::string> keys;
  keys.reserve(join.left_keys.size());
  for (size_t i = 0; i < join.left_keys.size(); ++i) {
    keys.push_back(left[join.left_keys[i]] + " = " + right[join.right_keys[i]]);
  }
  std::string text = join.kind == JoinKind::kLeft ? "Left join" : "Join";
  text += keys.empty() ? "" : " on " + Joined(keys);
  if (join.condition != nullptr) {
    text += " if " + join.condition->ToString(FieldNames(*node.schema));
  }
  if (join.as_of) {
    text += fmt::format(
        " [{} as of {}{}, grace {}]", right[join.right_time->start_column],
        left[join.left_time->start_column],
        join.as_of->delete_flag ? ", deleted by " + right[*join.as_of->delete_flag] : "",
        Duration(join.grace));
  } else if (join.interval) {
    text += fmt::format(" [{} - {} from {} to {}, grace {}]", left[join.left_time->start_column],
                        right[join.right_time->start_column], Duration(join.interval->lowest),
                        Duration(join.interval->highest), Duration(join.left_time->grace));
  } else if (join.left_time) {
    text += fmt::format(" [window {} = {}, grace {}]", left[join.left_time->start_column],
                        right[join.right_time->start_column], Duration(join.grace));
  }
  return text;
}

std::string UpsertText(const PlanNode& node) {
  const auto names = FieldNames(*node.inputs[0]->schema);
  std::vector<std::string> keys;
  keys.reserve(node.upsert.key.size());
  for (const size_t column : node.upsert.key) {
    keys.push_back(names[column]);
  }
  std::string text = "Latest by " + Joined(keys);
  text += node.upsert.delete_flag ? ", deleted by " + names[*node.upsert.delete_flag] : "";
  return text;
}

std::string NodeText(const PlanNode& node) {
  switch (node.kind) {
    case Kind::kScan:
      return fmt::format("Scan {}{} ({})", node.scan.is_view ? "view " : "", node.scan.relation,
                         Joined(FieldNames(*node.schema)));
    case Kind::kFilter:
      return "Filter " + node.filter.predicate->ToString(FieldNames(*node.schema));
    case Kind::kProject:
      return ProjectText(node);
    case Kind::kWindow:
      return WindowText(node);
    case Kind::kAggregate:
      return AggregateText(node);
    case Kind::kJoin:
      return JoinText(node);
    case Kind::kUnion:
      return "Union";
    case Kind::kUpsert:
      return UpsertText(node);
  }
  MR_CHECK(false, "node kind {}", static_cast<int>(node.kind));
}

void AppendTree(const PlanNode& node, size_t depth, std::string& out) {
  out.append(depth * 2, ' ');
  out += NodeText(node) + "\n";
  for (const PlanPtr& input : node.inputs) {
    AppendTree(*input, depth + 1, out);
  }
}

/// `whole_rows`: whether what reads the node may keep all of its columns.
void AppendTypes(const PlanNode& node, bool whole_rows, std::string& out) {
  const bool passes_on =
      node.kind == Kind::kScan || node.kind == Kind::kFilter || node.kind == Kind::kWindow;
  if (!passes_on || whole_rows) {
    for (const Field& field : node.schema->fields()) {
      out += field.type.ToString() + ";";
    }
  }
  const bool picks = node.kind == Kind::kProject || node.kind == Kind::kAggregate;
  for (const PlanPtr& input : node.inputs) {
    AppendTypes(*input, picks ? false : whole_rows || !passes_on, out);
  }
}

}  // namespace

std::string ExplainPlan(const PlanNode& plan) {
  std::string out;
  AppendTree(plan, 0, out);
  return out;
}

bool AnyNode(const PlanNode& plan, const std::function<bool(const PlanNode&)>& matches) {
  return matches(plan) || std::ranges::any_of(plan.inputs, [&](const PlanPtr& input) {
           return AnyNode(*input, matches);
         });
}

std::vector<std::string> UnboundedJoins(const PlanNode& plan) {
  std::vector<std::string> joins;
  for (const PlanPtr& input : plan.inputs) {
    std::ranges::move(UnboundedJoins(*input), std::back_inserter(joins));
  }
  if (plan.kind == Kind::kJoin && !plan.join.left_time &&
      std::ranges::any_of(plan.inputs,
                          [](const PlanPtr& input) { return input->properties.append_only; })) {
    joins.push_back(JoinText(plan));
  }
  return joins;
}

uint64_t Fingerprint(const PlanNode& plan) {
  // The text names every operation and column; the types are what it leaves out. Those of columns
  // that nothing reads do not count: a table may get another one.
  std::string text;
  AppendTree(plan, 0, text);
  AppendTypes(plan, true, text);
  return Xxh3(text);
}

}  // namespace millrace
