// The start of a PipelineRunner: its streams, and what a restart finds in them.

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"
#include "millrace/engine/pipeline_runner.h"
#include "millrace/engine/pipeline_streams.h"

namespace millrace {

Status PipelineRunner::OpenSources(const ProjectDefinition& project) {
  for (size_t input = 0; input < plan_->inputs.size(); ++input) {
    const std::string& name = plan_->inputs[input].stream;
    const auto stream = transport_.FindStream(name);
    if (!stream) {
      return Err(ErrorCode::kStreamNotFound, fmt::format("stream {}", name));
    }
    const TableDefinition* const table = project.FindTable(name);
    if (table == nullptr) {
      inputs_.push_back(plan_->inputs[input]);
    } else {
      MR_ASSIGN(auto stored,
                plan_->inputs[input].AsStored(*table->schema, *stream->definition.schema));
      inputs_.push_back(std::move(stored));
    }
    for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
      sources_.push_back({.input = input, .stream = stream->id, .partition = PartitionId(p)});
    }
    streams_.view_partitions = std::max(streams_.view_partitions, stream->definition.partitions);
  }
  return {};
}

Status PipelineRunner::OpenStreams() {
  state_partitions_ = StatePartitionsOf(transport_, StateStreamOf(plan_->name), state_partitions_);
  const auto streams = PipelineStreams::Of(*plan_, streams_.view_partitions, state_partitions_);
  MR_ASSIGN(streams_.view, OpenStream(streams.view));
  MR_ASSIGN(streams_.state, OpenStream(streams.state));
  MR_ASSIGN(streams_.errors, OpenStream(streams.errors));
  if (streams.closed) {
    MR_ASSIGN(streams_.closed, OpenStream(*streams.closed));
  }
  if (streams.late) {
    MR_ASSIGN(streams_.late, OpenStream(*streams.late));
  }
  return {};
}

Result<StreamId> PipelineRunner::OpenStream(const StreamDefinition& definition) {
  auto stream = transport_.CreateStream(definition);
  if (!stream && stream.error().code() == ErrorCode::kStreamExists) {
    return Err(ErrorCode::kDefinitionChanged,
               fmt::format("the stored data of view {} is of another query", plan_->name));
  }
  return stream;
}

Status PipelineRunner::Restore() {
  state_.emplace(*plan_, state_partitions_, sources_.size(), options_.snapshot_bytes_min);
  const PartitionInfo info = transport_.Describe(streams_.state, PartitionId(0));
  const auto cursor =
      transport_.OpenCursor(streams_.state, PartitionId(0), info.begin, Visibility::kDurable);
  MR_TRY(state_->Restore(*cursor, workers_));
  const Transport::Positions positions = transport_.ReaderPositions(reader_);
  std::vector<uint32_t> partitions(plan_->inputs.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    ++partitions[source.input];
    const auto found = positions.find({source.stream, source.partition});
    const Offset from = found != positions.end()
                            ? found->second
                            : transport_.Describe(source.stream, source.partition).begin;
    source_partitions_.emplace_back(
        inputs_[source.input],
        transport_.OpenCursor(source.stream, source.partition, from, Visibility::kAppended));
    source_partitions_.back().Reset(from, MR_PLANTED(WatermarkNotRestored)
                                              ? PartitionWatermark()
                                              : state_->progress.source_watermarks[i]);
  }
  {
    MutexLock lock(mutex_);
    for (const SourcePartition& source : source_partitions_) {
      committed_position_.push_back(source.position());
    }
  }
  dataflow_.emplace(*plan_, partitions, *state_, clock_, workers_, options_.batch_rows_max);
  input_ends_.resize(sources_.size());
  owes_watermark_ = plan_->is_read && plan_->has_event_time && state_->progress.said_kind == 0;
  stats_.watermark = std::ranges::min(state_->progress.input_watermarks);
  stats_.state_keys = state_->keys();
  ChargeState();
  stats_.state_bytes = state_bytes_;
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
  served_ = std::make_unique<ServedRows>(shards, plan_->key);
  uint64_t closed = 0;
  if (streams_.closed) {
    const PartitionInfo info = transport_.Describe(*streams_.closed, PartitionId(0));
    closed = static_cast<uint64_t>(info.durable_end - info.begin);
  }
  std::vector<Status> served(shards);
  workers_.ForEach(shards, [&](size_t i) {
    served_->Reserve(i, state_->KeysOf(plan_->rows_operator, i) + closed / shards);
    served[i] = dataflow_->VisitRemembered(static_cast<uint32_t>(i),
                                           [&](const BatchPtr& rows) { served_->Apply(i, *rows); });
  });
  for (Status& status : served) {
    MR_TRY(std::move(status));
  }
  if (streams_.closed) {
    MR_TRY(ServeClosedRows());
  }
  served_->Publish(view_position_, source_position());
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

}  // namespace millrace
