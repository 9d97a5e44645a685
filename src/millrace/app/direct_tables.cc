#include "millrace/app/direct_tables.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/pipeline_plan.h"
#include "millrace/engine/pipeline_streams.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

const ViewDefinition* ReaderOf(const TableDefinition& table, const ProjectDefinition& project) {
  const auto reader = std::ranges::find_if(project.views, [&](const ViewDefinition& view) {
    return std::ranges::find(view.inputs, table.name) != view.inputs.end();
  });
  return reader == project.views.end() ? nullptr : &*reader;
}

}  // namespace

Result<DirectTables> DirectTables::Open(const ProjectDefinition& project, Transport& base) {
  DirectTables direct;
  direct.base_ = &base;
  for (const TableDefinition& table : project.tables) {
    const ViewDefinition* const reader = ReaderOf(table, project);
    if (!table.is_direct || reader == nullptr) {
      continue;
    }
    const StreamDefinition definition = StreamIngestor::StreamOf(table);
    MR_ASSIGN(const StreamId id, base.CreateStream(definition));
    MR_ASSIGN(
        direct.streams_[table.name],
        DirectStream::Open(base, {.id = id, .definition = definition}, ReaderOfView(reader->name)));
  }
  return direct;
}

Transport& DirectTables::SourceSide(const TableDefinition& table) const {
  const auto stream = streams_.find(table.name);
  return stream == streams_.end() ? *base_ : stream->second->source_side();
}

bool DirectTables::IsReadBy(const ViewDefinition& view) const {
  return std::ranges::any_of(view.inputs,
                             [this](const std::string& input) { return streams_.contains(input); });
}

Transport& DirectTables::ReaderSide(const ViewDefinition& view) {
  Transport* side = base_;
  for (const std::string& input : view.inputs) {
    if (const auto stream = streams_.find(input); stream != streams_.end()) {
      sides_.push_back(stream->second->reader_side(*side));
      side = sides_.back().get();
    }
  }
  return *side;
}

void DirectTables::Close() {
  for (const auto& [name, stream] : streams_) {
    stream->Close();
  }
}

std::vector<size_t> UnreadColumns(const TableDefinition& table, const ProjectDefinition& project) {
  const ViewDefinition* const reader = ReaderOf(table, project);
  std::set<size_t> read;
  const auto plan =
      reader == nullptr ? nullptr : PipelinePlan::Make(*reader, project).value_or(nullptr);
  if (plan == nullptr) {
    return {};
  }
  for (const PipelineInput& input : plan->inputs) {
    if (input.stream == table.name) {
      read.insert(input.columns.begin(), input.columns.end());
    }
  }
  if (table.event_time) {
    read.insert(*table.event_time);
  }
  for (const GeneratedColumn& generated : table.generated) {
    read.insert(generated.column);
    if (generated.expression != nullptr) {
      ForEachColumn(*generated.expression, [&](size_t column) { read.insert(column); });
    }
  }
  std::vector<size_t> unread;
  for (size_t column = 0; column < table.schema->size(); ++column) {
    if (!read.contains(column)) {
      unread.push_back(column);
    }
  }
  return unread;
}

Status CheckIsStored(const StreamDefinition& stream) {
  if (!IsDirect(stream)) {
    return {};
  }
  return std::unexpected(
      Error(ErrorCode::kStreamNotFound,
            fmt::format("nothing of table {} is stored: storage = 'direct'", stream.name))
          .WithHint("read the view that reads it"));
}

}  // namespace millrace
