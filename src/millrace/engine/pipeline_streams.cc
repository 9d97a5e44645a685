#include "millrace/engine/pipeline_streams.h"

#include <charconv>

#include <fmt/format.h>

#include "millrace/stream/error_row.h"

namespace millrace {

namespace {

constexpr const char* kStatePartitions = "state_partitions";

StreamDefinition Define(std::string name, uint32_t partitions, SchemaPtr schema, std::string kind) {
  return {.name = std::move(name),
          .partitions = partitions,
          .schema = std::move(schema),
          .properties = {{"kind", std::move(kind)}}};
}

}  // namespace

PipelineStreams PipelineStreams::Of(const PipelinePlan& plan, uint32_t partitions,
                                    size_t state_partitions) {
  const std::string& name = plan.name;
  PipelineStreams streams{.view = Define(name, partitions, plan.output_schema, "view"),
                          .state = Define(StateStreamOf(name), 1, nullptr, "state"),
                          .errors = Define("errors$" + name, 1, ErrorRowSchema(), "errors"),
                          .late = {},
                          .closed = {}};
  streams.state.properties["plan"] = fmt::format("{:016x}", plan.fingerprint);
  streams.state.properties[kStatePartitions] = std::to_string(state_partitions);
  if (!plan.append_only && plan.operators[plan.rows_operator]->forgets_rows()) {
    streams.closed = Define("rows$" + name, 1, plan.output_schema, "rows");
  }
  if (plan.has_late_rows) {
    streams.late = Define("late$" + name, 1, ErrorRowSchema(), "late");
  }
  return streams;
}

std::vector<StreamDefinition> PipelineStreams::All() const {
  std::vector<StreamDefinition> all{view, state, errors};
  for (const auto& optional : {late, closed}) {
    if (optional) {
      all.push_back(*optional);
    }
  }
  return all;
}

std::vector<std::string> StreamNamesOfView(std::string_view view) {
  std::vector<std::string> names{std::string(view)};
  for (const std::string_view prefix : {"state$", "errors$", "late$", "rows$"}) {
    names.push_back(fmt::format("{}{}", prefix, view));
  }
  return names;
}

std::string StateStreamOf(std::string_view view) { return fmt::format("state${}", view); }

size_t StatePartitionsOf(Transport& transport, std::string_view state, size_t otherwise) {
  const auto stream = transport.FindStream(state);
  if (!stream) {
    return otherwise;
  }
  const auto& properties = stream->definition.properties;
  const auto stored = properties.find(kStatePartitions);
  if (stored == properties.end()) {
    return otherwise;
  }
  size_t partitions = 0;
  const std::string& text = stored->second;
  std::from_chars(text.data(), text.data() + text.size(), partitions);
  return partitions == 0 ? otherwise : partitions;
}

std::string ReaderOfView(std::string_view view) { return fmt::format("view:{}", view); }

}  // namespace millrace
