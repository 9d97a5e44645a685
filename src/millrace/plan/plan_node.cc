#include "millrace/plan/plan_node.h"

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
    const std::string text = node.project.expressions[i]->ToString(names);
    const std::string& name = node.schema->field(i).name;
    parts.push_back(text == name ? text : text + " AS " + name);
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
  }
  MR_CHECK(false, "aggregate {}", static_cast<int>(kind));
}

std::string CallText(const AggregateCall& call, const std::vector<std::string>& names) {
  const bool all = call.kind == AggregateKind::kCountRows;
  return fmt::format("{}({})", AggregateName(call.kind), all ? "*" : names[call.argument]);
}

std::string Duration(Micros micros) { return FormatInterval({.micros = micros}); }

std::string AggregateText(const PlanNode& node) {
  const AggregateNode& aggregate = node.aggregate;
  const auto names = FieldNames(*node.inputs[0]->schema);
  std::vector<std::string> groups;
  for (const size_t column : aggregate.group_columns) {
    groups.push_back(names[column]);
  }
  std::vector<std::string> calls;
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

std::string TumbleText(const PlanNode& node) {
  std::string text =
      fmt::format("Tumble {} by {}", node.inputs[0]->schema->field(node.tumble.time_column).name,
                  Duration(node.tumble.size));
  if (node.tumble.origin != 0) {
    text += " from " + Duration(node.tumble.origin);
  }
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
    case Kind::kTumble:
      return TumbleText(node);
    case Kind::kAggregate:
      return AggregateText(node);
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

void AppendTypes(const PlanNode& node, std::string& out) {
  for (const Field& field : node.schema->fields()) {
    out += field.type.ToString() + ";";
  }
  for (const PlanPtr& input : node.inputs) {
    AppendTypes(*input, out);
  }
}

}  // namespace

std::string ExplainPlan(const PlanNode& plan) {
  std::string out;
  AppendTree(plan, 0, out);
  return out;
}

uint64_t Fingerprint(const PlanNode& plan) {
  // The text names every operation and column; the types are what it leaves out.
  std::string text;
  AppendTree(plan, 0, text);
  AppendTypes(plan, text);
  return Xxh3(text);
}

}  // namespace millrace
