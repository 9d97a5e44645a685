#include "millrace/app/project_changes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "millrace/app/next_streams.h"
#include "millrace/app/view_build.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/error_replay.h"
#include "millrace/connect/sink_runner.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/pipeline_streams.h"
#include "millrace/stream/direct/direct_stream.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

using Kind = ProjectChange::Kind;

std::string KindOf(const StreamDefinition& definition) {
  const auto kind = definition.properties.find("kind");
  return kind == definition.properties.end() ? "" : kind->second;
}

/// Why records that are stored by `stored` cannot be read by `wanted`; none when they can.
std::optional<std::string> Conflict(const StreamDefinition& stored,
                                    const StreamDefinition& wanted) {
  if (KindOf(stored) != KindOf(wanted)) {
    return fmt::format("it was a {}", KindOf(stored));
  }
  if (stored.partitions != wanted.partitions) {
    return fmt::format("it has {} partitions and not {}", stored.partitions, wanted.partitions);
  }
  if (OwnProperties(stored) != wanted.properties) {
    return "its event_time or storage is another";
  }
  for (const Field& field : wanted.schema->fields()) {
    const auto index = stored.schema->Find(field.name);
    if (!index && !field.nullable) {
      return fmt::format("column {} is new and NOT NULL", field.name);
    }
    if (!index && IsGoneColumn(stored, field.name)) {
      return fmt::format(
          "column {} was taken away, and stored records may still have it: a new one "
          "needs another name",
          field.name);
    }
    if (!index) {
      continue;
    }
    const Field& before = stored.schema->field(*index);
    if (before.type != field.type) {
      return fmt::format("column {} was {} and is {}", field.name, before.type.ToString(),
                         field.type.ToString());
    }
    if (before.nullable && !field.nullable) {
      return fmt::format("column {} was not NOT NULL", field.name);
    }
  }
  return std::nullopt;
}

/// "column a is new, column b is gone".
std::string DifferenceOf(const Schema& stored, const Schema& wanted) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view what) {
    fmt::format_to(std::back_inserter(text), "{}column {} {}", text.empty() ? "" : ", ", name,
                   what);
  };
  for (const Field& field : wanted.fields()) {
    if (!stored.Find(field.name)) {
      add(field.name, "is new");
    }
  }
  for (const Field& field : stored.fields()) {
    if (!wanted.Find(field.name)) {
      add(field.name, "is gone");
    }
  }
  return text.empty() ? "NOT NULL or the order of columns has changed" : text;
}

}  // namespace

class ProjectChanges::Finder {
 public:
  Finder(const ProjectDefinition& project, Transport& transport,
         const ProjectChangeOptions& options)
      : project_(project), transport_(transport), options_(options) {}

  Result<ProjectChanges> Run() {
    for (const TableDefinition& table : project_.tables) {
      MR_TRY(LookAtTable(table));
    }
    for (const ViewDefinition& view : project_.views) {
      MR_TRY(LookAtView(view));
    }
    for (const SinkDefinition& sink : project_.sinks) {
      LookAtSink(sink);
    }
    LookAtTheRest();
    return std::move(found_);
  }

 private:
  void Note(Kind kind, bool is_view, const std::string& name, std::string reason = "") {
    found_.list_.push_back(
        {.kind = kind, .is_view = is_view, .name = name, .reason = std::move(reason)});
  }

  /// What an INSERT reads through is no view that anybody has asked for.
  void NoteView(Kind kind, const ViewDefinition& view, std::string reason = "") {
    if (!view.of_insert) {
      Note(kind, true, view.name, std::move(reason));
    }
  }

  Status LookAtTable(const TableDefinition& table) {
    StreamDefinition wanted = StreamIngestor::StreamOf(table);
    partitions_[table.name] = wanted.partitions;
    const auto stored = transport_.FindStream(table.name);
    if (!stored) {
      Note(Kind::kCreated, false, table.name);
      return {};
    }
    reads_[table.name] = stored->id;
    if (SameDefinition(stored->definition, wanted)) {
      Note(Kind::kKept, false, table.name);
      return {};
    }
    if (const auto conflict = Conflict(stored->definition, wanted)) {
      return Err(
          Error(ErrorCode::kDefinitionChanged,
                fmt::format("the stored records do not fit table {}: {}", table.name, *conflict))
              .WithHint("give the changed table another name; --prune then drops the "
                        "records of the old one"));
    }
    Note(Kind::kExtended, false, table.name,
         DifferenceOf(*stored->definition.schema, *wanted.schema));
    NoteGoneColumns(stored->definition, wanted);
    found_.streams_.redefined.push_back({.id = stored->id, .definition = std::move(wanted)});
    return {};
  }

  Status LookAtView(const ViewDefinition& view) {
    MR_ASSIGN(const auto plan, PipelinePlan::Make(view, project_));
    uint32_t partitions = 1;
    for (const std::string& input : view.inputs) {
      partitions = std::max(partitions, partitions_.at(input));
    }
    partitions_[view.name] = partitions;
    const auto wanted =
        PipelineStreams::Of(*plan, partitions, StatePartitions(StateStreamOf(view.name)));
    const auto state = transport_.FindStream(wanted.state.name);
    const std::optional<std::string> reason = state ? ReasonToRebuild(view, wanted) : std::nullopt;
    if (state && !reason) {
      NoteView(Kind::kKept, view);
      reads_[view.name] = transport_.FindStream(view.name)->id;
      AddRemoval(transport_, view.name, found_.streams_);
      return {};
    }
    if (const auto stored = transport_.FindStream(view.name);
        stored && KindOf(stored->definition) != "view") {
      return Err(ErrorCode::kDefinitionChanged,
                 fmt::format("view {}: the data directory has a {} of this name", view.name,
                             KindOf(stored->definition)));
    }
    if (reason) {
      rebuilt_.insert(view.name);
      MR_ASSIGN(auto former, FormerProjectOf(view));
      if (former != nullptr) {
        found_.beside_[view.name] = std::move(former);
        MR_TRY(BuildBeside(
            view, PipelineStreams::Of(*plan, partitions,
                                      StatePartitions(NextName(StateStreamOf(view.name))))));
        NoteView(Kind::kRebuilt, view, *reason);
        if (!view.of_insert) {
          found_.list_.back().is_beside = true;
        }
        return {};
      }
      MR_TRY(CheckHistory(view));
    }
    DropView(view.name);
    for (const std::string& input : view.inputs) {
      if (const TableDefinition* const table = project_.FindTable(input);
          table != nullptr && table->is_direct) {
        // The view reads it from the start, and so comes what was refused.
        ForgetSources(table->name);
        Drop("errors$" + table->name);
      }
    }
    NoteView(reason ? Kind::kRebuilt : Kind::kCreated, view, reason.value_or(""));
    return {};
  }

  void LookAtSink(const SinkDefinition& sink) {
    const std::string& name = sink.table.name;
    const auto stream = transport_.FindStream(sink.stream);
    const bool has_read = !transport_.ReaderPositions(ReaderOfSink(name)).empty();
    // A stream that is not there yet is another one than it has read.
    const bool is_rebuilt = has_read && (!stream || rebuilt_.contains(sink.stream) ||
                                         HasReadAnotherStream(transport_, name, stream->id));
    if (is_rebuilt && options_.rebuild_sinks) {
      found_.streams_.forgotten_readers.push_back(ReaderOfSink(name));
    }
    const Kind kind = !has_read                ? Kind::kCreated
                      : !is_rebuilt            ? Kind::kKept
                      : options_.rebuild_sinks ? Kind::kRebuilt
                                               : Kind::kWaiting;
    Note(kind, false, name, is_rebuilt ? "what it reads is new" : "");
    found_.list_.back().is_sink = true;
  }

  std::optional<std::string> ReasonToRebuild(const ViewDefinition& view,
                                             const PipelineStreams& wanted) {
    for (const std::string& input : view.inputs) {
      const std::string reader = ReaderOfView(view.name);
      if (rebuilt_.contains(input) && !(HasRead(reader, input) && ReadsAsBefore(view, reader))) {
        return fmt::format("{} is rebuilt", input);
      }
    }
    for (const StreamDefinition& definition : wanted.All()) {
      const auto stored = transport_.FindStream(definition.name);
      if (!stored) {
        return fmt::format("it has no stream {} yet", definition.name);
      }
      if (!SameDefinition(stored->definition, definition)) {
        return stored->definition.partitions != definition.partitions
                   ? "the partitions of its inputs have changed"
                   : "its query has changed";
      }
    }
    return std::nullopt;
  }

  size_t StatePartitions(const std::string& state) {
    return StatePartitionsOf(transport_, state, options_.state_partitions);
  }

  /// Whether a reader has a position in what readers of `relation` will read.
  bool HasRead(const std::string& reader, const std::string& relation) {
    const auto stream = reads_.find(relation);
    return stream != reads_.end() &&
           std::ranges::any_of(transport_.ReaderPositions(reader), [&](const auto& position) {
             return position.first.first == stream->second;
           });
  }

  /// Whether all that `reader`, the one of a view or of the next one, has read are streams that the
  /// view will read.
  bool ReadsAsBefore(const ViewDefinition& view, const std::string& reader) {
    std::set<StreamId> streams;
    for (const std::string& input : view.inputs) {
      if (const auto stream = reads_.find(input); stream != reads_.end()) {
        streams.insert(stream->second);
      }
    }
    return std::ranges::all_of(transport_.ReaderPositions(reader), [&](const auto& position) {
      return streams.contains(position.first.first);
    });
  }

  /// The project by which a view that has changed can go on; null when none is known, or it could
  /// not read what it has read.
  Result<std::shared_ptr<const ProjectDefinition>> FormerProjectOf(const ViewDefinition& view) {
    if (ReadsDirectTable(view, project_)) {
      return nullptr;
    }
    if (!former_) {
      MR_ASSIGN(former_, CompileFormerProjects(transport_));
    }
    for (const auto& former : *former_) {
      const ViewDefinition* const before = former->FindView(view.name);
      if (before != nullptr && IsAsStored(*before, *former)) {
        return former;
      }
    }
    return nullptr;
  }

  static bool ReadsDirectTable(const ViewDefinition& view, const ProjectDefinition& project) {
    return std::ranges::any_of(view.inputs, [&](const std::string& input) {
      const TableDefinition* const table = project.FindTable(input);
      return table != nullptr && table->is_direct;
    });
  }

  /// Whether the streams of `view` are of this definition, and what it reads goes on.
  bool IsAsStored(const ViewDefinition& view, const ProjectDefinition& project) {
    const auto plan = PipelinePlan::Make(view, project);
    if (!plan || ReadsDirectTable(view, project)) {
      return false;
    }
    uint32_t partitions = 1;
    std::set<StreamId> streams;
    for (const PipelineInput& input : (*plan)->inputs) {
      const auto stored = transport_.FindStream(input.stream);
      if (!stored || !GoesOn(input, project, *stored)) {
        return false;
      }
      partitions = std::max(partitions, stored->definition.partitions);
      streams.insert(stored->id);
    }
    const auto positions = transport_.ReaderPositions(ReaderOfView(view.name));
    const auto state_partitions = StatePartitions(StateStreamOf(view.name));
    return AllStored(PipelineStreams::Of(**plan, partitions, state_partitions), false) &&
           std::ranges::all_of(positions, [&](const auto& position) {
             return streams.contains(position.first.first);
           });
  }

  /// Whether an input of a view of `former` is there as that knows it, and is filled.
  bool GoesOn(const PipelineInput& input, const ProjectDefinition& former,
              const StreamInfo& stored) {
    if (input.is_view) {
      const bool is_kept = project_.FindView(input.stream) != nullptr &&
                           !rebuilt_.contains(input.stream) && reads_.contains(input.stream);
      return (is_kept || found_.beside_.contains(input.stream)) &&
             *stored.definition.schema == *former.FindView(input.stream)->plan->schema;
    }
    const TableDefinition* const table = project_.FindTable(input.stream);
    return table != nullptr &&
           input.AsStored(*former.FindTable(input.stream)->schema, *table->schema).has_value();
  }

  /// Whether all of `wanted` are there, under names with `prefix`.
  bool AllStored(const PipelineStreams& wanted, bool is_next) {
    return std::ranges::all_of(wanted.All(), [&](StreamDefinition definition) {
      definition.name = is_next ? NextName(definition.name) : definition.name;
      const auto stored = transport_.FindStream(definition.name);
      return stored && SameDefinition(stored->definition, definition);
    });
  }

  /// Goes on with what an earlier start has begun, if it can.
  Status BuildBeside(const ViewDefinition& view, const PipelineStreams& wanted) {
    if (AllStored(wanted, true) && ReadsAsBefore(view, NextName(ReaderOfView(view.name)))) {
      reads_[view.name] = transport_.FindStream(NextName(view.name))->id;
      return {};
    }
    AddRemoval(transport_, view.name, found_.streams_);
    return CheckHistory(view);
  }

  /// kDefinitionChanged when an input that stays no longer has all of its records.
  Status CheckHistory(const ViewDefinition& view) {
    for (const std::string& input : view.inputs) {
      const auto stream = transport_.FindStream(input);
      if (options_.accept_partial_history || !stream || rebuilt_.contains(input)) {
        continue;
      }
      for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
        if (transport_.Describe(stream->id, PartitionId(p)).begin > Offset(0)) {
          return Err(Error(ErrorCode::kDefinitionChanged,
                           fmt::format("view {} has changed, and {} no longer has all records that "
                                       "the view has seen",
                                       view.name, input))
                         .WithHint("--accept-partial-history rebuilds it from what is there"));
        }
      }
    }
    return {};
  }

  void Drop(const std::string& stream) {
    if (const auto stored = transport_.FindStream(stream)) {
      found_.streams_.dropped.push_back(stored->id);
    }
  }

  /// Also what a start that was cut short may have left of it.
  void DropView(const std::string& name) {
    AddRemoval(transport_, name, found_.streams_);
    std::ranges::for_each(StreamNamesOfView(name), [&](const auto& stream) { Drop(stream); });
    if (!transport_.ReaderPositions(ReaderOfView(name)).empty()) {
      found_.streams_.forgotten_readers.push_back(ReaderOfView(name));
    }
    if (!transport_.ReadSourcePositions(ViewBuild::TargetsOf(name)).empty()) {
      found_.streams_.forgotten_sources.push_back(ViewBuild::TargetsOf(name));
    }
  }

  void DropTable(const std::string& name) {
    Drop(name);
    Drop("errors$" + name);
    ForgetSources(name);
  }

  void ForgetSources(const std::string& name) {
    found_.streams_.forgotten_sources.push_back(DirectStream::HistorySource(name));
    found_.streams_.forgotten_sources.push_back(ErrorReplay::ReaderOf(name));
    for (const Connector& connector : AllConnectors()) {
      found_.streams_.forgotten_sources.push_back(fmt::format("{}:{}", connector.name, name));
    }
  }

  void LookAtTheRest() {
    for (const StreamInfo& stream : transport_.Streams()) {
      const std::string& name = stream.definition.name;
      const std::string kind = KindOf(stream.definition);
      const bool is_view = kind == "view";
      if ((kind != "table" && !is_view) || partitions_.contains(name) || IsNextName(name)) {
        continue;
      }
      Note(options_.prune ? Kind::kDropped : Kind::kUndefined, is_view, name);
      if (options_.prune && is_view) {
        DropView(name);
      } else if (options_.prune) {
        DropTable(name);
      } else if (is_view) {
        AddRemoval(transport_, name, found_.streams_);
      }
    }
  }

  const ProjectDefinition& project_;
  Transport& transport_;
  const ProjectChangeOptions options_;
  std::map<std::string, uint32_t> partitions_;  // Of every table and view of the project.
  std::set<std::string> rebuilt_;
  /// By relation the stream that its readers will read; none while that is yet to be made.
  std::map<std::string, StreamId> reads_;
  std::optional<FormerProjects> former_;
  ProjectChanges found_;
};

bool HasReadAnotherStream(Transport& transport, std::string_view table, StreamId stream) {
  const auto positions = transport.ReaderPositions(ReaderOfSink(table));
  return std::ranges::any_of(positions,
                             [&](const auto& position) { return position.first.first != stream; });
}

Result<ProjectChanges> ProjectChanges::Find(const ProjectDefinition& project, Transport& transport,
                                            const ProjectChangeOptions& options) {
  return Finder(project, transport, options).Run();
}

Status ProjectChanges::Apply(Transport& transport) const {
  return streams_.empty() ? Status() : transport.ChangeStreams(streams_);
}

std::string_view Name(ProjectChange::Kind kind) {
  switch (kind) {
    case Kind::kCreated:
      return "created";
    case Kind::kKept:
      return "kept";
    case Kind::kExtended:
      return "changed";
    case Kind::kRebuilt:
      return "rebuilt";
    case Kind::kUndefined:
      return "no longer defined";
    case Kind::kDropped:
      return "dropped";
    case Kind::kWaiting:
      return "waits for --rebuild-sinks";
  }
  return "";
}

}  // namespace millrace
