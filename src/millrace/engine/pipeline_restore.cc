// The start of a PipelineRunner: its streams, and what a restart finds in them.

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"
#include "millrace/engine/aggregate/group_output.h"
#include "millrace/engine/pipeline_runner.h"

namespace millrace {

Status PipelineRunner::OpenStreams(const StreamInfo& source) {
  const std::string& name = plan_->name;
  streams_.source = source.id;
  streams_.source_partitions = source.definition.partitions;
  streams_.view_partitions = source.definition.partitions;
  MR_ASSIGN(streams_.view,
            OpenStream(name, streams_.view_partitions, plan_->output_schema, "view"));
  MR_ASSIGN(streams_.state, OpenStream("state$" + name, 1, nullptr, "state"));
  MR_ASSIGN(streams_.errors, OpenStream("errors$" + name, 1, ErrorRowSchema(), "errors"));
  if (keeps_rows() && plan_->group_by->window()) {
    MR_ASSIGN(streams_.closed, OpenStream("rows$" + name, 1, plan_->output_schema, "rows"));
  }
  if (plan_->late_schema != nullptr) {
    MR_ASSIGN(streams_.late, OpenStream("late$" + name, 1, plan_->late_schema, "late"));
  }
  return {};
}

Result<StreamId> PipelineRunner::OpenStream(std::string name, uint32_t partitions, SchemaPtr schema,
                                            std::string kind) {
  StreamDefinition definition{.name = std::move(name),
                              .partitions = partitions,
                              .schema = std::move(schema),
                              .properties = {{"kind", std::move(kind)}}};
  if (definition.schema == nullptr) {
    definition.properties["plan"] = fmt::format("{:016x}", plan_->fingerprint);
    definition.properties["state_partitions"] = std::to_string(options_.state_partitions);
  }
  auto stream = transport_.CreateStream(definition);
  if (!stream && stream.error().code() == ErrorCode::kStreamExists) {
    return std::unexpected(
        Error(ErrorCode::kDefinitionChanged,
              fmt::format("the stored data of view {} is of another query", plan_->name))
            .WithHint("give the changed view another name, or remove the data directory"));
  }
  return stream;
}

Status PipelineRunner::Restore() {
  state_.emplace(*plan_, options_.state_partitions, streams_.source_partitions);
  const PartitionInfo info = transport_.Describe(streams_.state, PartitionId(0));
  const auto cursor =
      transport_.OpenCursor(streams_.state, PartitionId(0), info.begin, Visibility::kDurable);
  MR_TRY(state_->Restore(*cursor, workers_));
  const Transport::Positions positions = transport_.ReaderPositions(reader_);
  for (uint32_t p = 0; p < streams_.source_partitions; ++p) {
    const auto found = positions.find({streams_.source, PartitionId(p)});
    const Offset from = found != positions.end()
                            ? found->second
                            : transport_.Describe(streams_.source, PartitionId(p)).begin;
    sources_.emplace_back(*plan_, transport_.OpenCursor(streams_.source, PartitionId(p), from,
                                                        Visibility::kAppended));
    sources_.back().Reset(from, MR_PLANTED(WatermarkNotRestored) ? PartitionWatermark()
                                                                 : state_->source_watermarks[p]);
    SourceTask& task = source_tasks_.emplace_back();
    if (plan_->group_by) {
      task.groups = std::make_unique<PartialGroups>(*plan_->group_by);
    }
  }
  input_ends_.resize(sources_.size());
  state_tasks_.resize(state_->partitions());
  stats_.watermark = state_->stage_watermark;
  stats_.state_keys = state_->keys();
  stats_.state_bytes = state_->MemoryBytes();
  return RestoreServed();
}

Status PipelineRunner::RestoreServed() {
  for (uint32_t p = 0; p < streams_.view_partitions; ++p) {
    view_position_.push_back(transport_.Describe(streams_.view, PartitionId(p)).durable_end);
  }
  if (!keeps_rows()) {
    return {};
  }
  const size_t shards = state_->partitions();
  served_ = std::make_unique<ServedRows>(shards);
  uint64_t closed = 0;
  if (streams_.closed) {
    const PartitionInfo info = transport_.Describe(*streams_.closed, PartitionId(0));
    closed = static_cast<uint64_t>(info.durable_end - info.begin);
  }
  std::vector<Status> served(shards);
  workers_.ForEach(shards, [&](size_t i) {
    served_->Reserve(i, state_->partition(i).keys() + closed / shards);
    served[i] = ServeOpenGroups(i);
  });
  for (Status& status : served) {
    MR_TRY(std::move(status));
  }
  if (streams_.closed) {
    MR_TRY(ServeClosedRows());
  }
  std::vector<Offset> source_position;
  for (const SourcePartition& source : sources_) {
    source_position.push_back(source.position());
  }
  served_->Publish(view_position_, std::move(source_position));
  return {};
}

Status PipelineRunner::ServeClosedRows() {
  const PartitionInfo info = transport_.Describe(*streams_.closed, PartitionId(0));
  const auto cursor =
      transport_.OpenCursor(*streams_.closed, PartitionId(0), info.begin, Visibility::kDurable);
  while (true) {
    constexpr size_t kBytesPerPoll = 8 << 20;
    MR_ASSIGN(const auto frames, cursor->Poll(kBytesPerPoll));
    if (frames.empty()) {
      return {};
    }
    // They never change again: any shard will do.
    workers_.ForEach(served_->shards(), [&](size_t shard) {
      for (size_t i = shard; i < frames.size(); i += served_->shards()) {
        served_->Apply(shard, *frames[i].batch);
      }
    });
  }
}

Status PipelineRunner::ServeOpenGroups(size_t partition) {
  GroupOutput output(*plan_->group_by);
  RowReport ignored(0);
  const auto serve = [&] {
    if (const BatchPtr rows = plan_->after.Process(output.Finish(true), ignored)) {
      served_->Apply(partition, *rows);
    }
  };
  MR_TRY(state_->partition(partition).Visit(
      kMicrosMin, kMicrosMax,
      [&](Micros bucket, std::string_view key, const std::byte* value) -> Status {
        MR_TRY(output.Add(bucket, key, value, 1, ignored));
        if (output.rows() == options_.batch_rows_max) {
          serve();
        }
        return {};
      }));
  serve();
  return {};
}

}  // namespace millrace
