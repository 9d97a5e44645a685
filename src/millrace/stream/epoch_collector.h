#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/base/check.h"
#include "millrace/stream/epoch_content.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Collects an epoch in memory, without encoding; CommitAsync is left to the one who derives.
class EpochCollector : public EpochWriter {
 public:
  void Append(StreamId stream, PartitionId partition, BatchPtr batch,
              const EventTimes& times) override {
    MR_CHECK(batch->rows() > 0, "append of no rows");
    const auto rows = static_cast<uint32_t>(batch->rows());
    Add(stream, partition,
        {.type = FrameType::kData, .count = rows, .batch = std::move(batch), .times = times});
  }

  void AppendOpaque(StreamId stream, PartitionId partition, FrameType type,
                    Bytes payload) override {
    Add(stream, partition, {.type = type, .count = 1, .payload = Buffer::Own(std::move(payload))});
  }

  void PrependControl(StreamId stream, PartitionId partition, const ControlFrame& control,
                      Micros event_time) override {
    Add(stream, partition,
        {.type = FrameType::kControl,
         .count = 1,
         .payload = Buffer::Own(control.Encode()),
         .times = {.max = event_time}});
    std::ranges::rotate(content_.frames, content_.frames.end() - 1);
  }

  void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                   Offset next) override {
    content_.positions.push_back({std::string(reader), stream, partition, next});
  }

  void SetSourcePosition(std::string_view source, std::string_view split,
                         std::string value) override {
    content_.source_positions.push_back(
        {std::string(source), std::string(split), std::move(value)});
  }

  void Trim(StreamId stream, PartitionId partition, Offset begin) override {
    content_.trims.push_back({stream, partition, begin});
  }

 protected:
  EpochContent content_;

 private:
  void Add(StreamId stream, PartitionId partition, StreamFrame frame) {
    content_.frames.push_back(
        {.stream = stream, .partition = partition, .frame = std::move(frame), .encoded = {}});
  }
};

}  // namespace millrace
