#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/stream/transport.h"

namespace millrace {

/// Passes an epoch on to a writer of another transport. What derives from it changes a part.
class EpochWriterDecorator : public EpochWriter {
 public:
  explicit EpochWriterDecorator(std::unique_ptr<EpochWriter> below) : below_(std::move(below)) {}

  void Append(StreamId stream, PartitionId partition, BatchPtr batch,
              const EventTimes& times) override {
    below_->Append(stream, partition, std::move(batch), times);
  }
  void AppendOpaque(StreamId stream, PartitionId partition, FrameType type,
                    Bytes payload) override {
    below_->AppendOpaque(stream, partition, type, std::move(payload));
  }
  void PrependControl(StreamId stream, PartitionId partition, const ControlFrame& control,
                      Micros event_time) override {
    below_->PrependControl(stream, partition, control, event_time);
  }
  void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                   Offset next) override {
    below_->SetPosition(reader, stream, partition, next);
  }
  void SetSourcePosition(std::string_view source, std::string_view split,
                         std::string value) override {
    below_->SetSourcePosition(source, split, std::move(value));
  }
  void Trim(StreamId stream, PartitionId partition, Offset begin) override {
    below_->Trim(stream, partition, begin);
  }
  void CommitAsync(CommitCallback callback) override { below_->CommitAsync(std::move(callback)); }

 protected:
  EpochWriter& below() const { return *below_; }

 private:
  std::unique_ptr<EpochWriter> below_;
};

/// Passes everything on to another transport, which outlives it. What derives from it changes a
/// part.
class TransportDecorator : public Transport {
 public:
  explicit TransportDecorator(Transport& base) : base_(base) {}

  Result<StreamId> CreateStream(const StreamDefinition& definition) override {
    return base_.CreateStream(definition);
  }
  Status ChangeStreams(const StreamChanges& changes) override {
    return base_.ChangeStreams(changes);
  }
  std::optional<StreamInfo> FindStream(std::string_view name) override {
    return base_.FindStream(name);
  }
  std::vector<StreamInfo> Streams() override { return base_.Streams(); }
  PartitionInfo Describe(StreamId stream, PartitionId partition) override {
    return base_.Describe(stream, partition);
  }
  Offset OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end) override {
    return base_.OffsetBehind(stream, partition, bytes, end);
  }
  std::unique_ptr<EpochWriter> BeginEpoch() override { return base_.BeginEpoch(); }
  std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                     Visibility visibility) override {
    return base_.OpenCursor(stream, partition, from, visibility);
  }
  Positions ReaderPositions(std::string_view reader) override {
    return base_.ReaderPositions(reader);
  }
  SourcePositions ReadSourcePositions(std::string_view source) override {
    return base_.ReadSourcePositions(source);
  }
  SubscriptionId Subscribe(StreamId stream, Visibility visibility,
                           std::function<void()> notify) override {
    return base_.Subscribe(stream, visibility, std::move(notify));
  }
  void Unsubscribe(SubscriptionId subscription) override { base_.Unsubscribe(subscription); }
  bool disk_full() const override { return base_.disk_full(); }

 protected:
  Transport& base() const { return base_; }

 private:
  Transport& base_;
};

}  // namespace millrace
