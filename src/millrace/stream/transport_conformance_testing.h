#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/data/column_builder.h"
#include "millrace/stream/awaited_commit.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The contract of Transport as a typed gtest suite. `Maker` is default-constructible and has
///   std::unique_ptr<Transport> Make();
/// whose transport decides commits without help.
///
/// Instantiate with INSTANTIATE_TYPED_TEST_SUITE_P(Name, TransportConformanceTest, Maker).
template <typename Maker>
class TransportConformanceTest : public ::testing::Test {
 protected:
  static SchemaPtr RowSchema() {
    return MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
  }

  static BatchPtr Rows(int64_t first, int64_t count) {
    ColumnBuilder ids(DataType::Of(TypeId::kInt64));
    for (int64_t i = first; i < first + count; ++i) {
      ids.AppendFixed(i);
    }
    return Batch::Make(RowSchema(), {ids.Finish()}, static_cast<size_t>(count));
  }

  StreamId Create(const std::string& name, uint32_t partitions = 1) {
    auto created = transport_->CreateStream(
        {.name = name, .partitions = partitions, .schema = RowSchema(), .properties = {}});
    EXPECT_TRUE(created) << created.error().ToString();
    return *created;
  }

  /// Commits and waits for the decision.
  static CommitResult Commit(EpochWriter& epoch) {
    AwaitedCommit commit;
    epoch.CommitAsync(commit.callback());
    return commit.Wait();
  }

  CommitResult Append(StreamId stream, uint32_t partition, int64_t first, int64_t count) {
    auto epoch = transport_->BeginEpoch();
    epoch->Append(stream, PartitionId(partition), Rows(first, count), {});
    return Commit(*epoch);
  }

  std::vector<int64_t> ReadIds(StreamId stream, uint32_t partition, Offset from = Offset(0),
                               Visibility visibility = Visibility::kDurable) {
    auto cursor = transport_->OpenCursor(stream, PartitionId(partition), from, visibility);
    std::vector<int64_t> ids;
    while (true) {
      const auto frames = cursor->Poll(1);
      EXPECT_TRUE(frames) << frames.error().ToString();
      if (!frames || frames->empty()) {
        return ids;
      }
      for (const StreamFrame& frame : *frames) {
        EXPECT_EQ(frame.batch->rows(), frame.count);
        for (const int64_t id : frame.batch->column(0).template Values<int64_t>()) {
          ids.push_back(id);
        }
      }
    }
  }

  Maker maker_;
  std::unique_ptr<Transport> transport_ = maker_.Make();
};

TYPED_TEST_SUITE_P(TransportConformanceTest);

TYPED_TEST_P(TransportConformanceTest, GivesDenseOffsetsInCommitOrder) {
  const StreamId stream = this->Create("clicks", 2);
  auto first = this->transport_->BeginEpoch();
  auto second = this->transport_->BeginEpoch();
  second->Append(stream, PartitionId(0), this->Rows(100, 5), {});
  first->Append(stream, PartitionId(0), this->Rows(0, 3), {});
  first->Append(stream, PartitionId(1), this->Rows(10, 2), {});
  first->Append(stream, PartitionId(0), this->Rows(3, 1), {});
  const CommitResult one = this->Commit(*first);
  const CommitResult two = this->Commit(*second);
  ASSERT_EQ(one.outcome, CommitOutcome::kCommitted);
  ASSERT_EQ(one.ranges.size(), 3U);
  EXPECT_EQ(one.ranges[0].begin, Offset(0));
  EXPECT_EQ(one.ranges[0].end, Offset(3));
  EXPECT_EQ(one.ranges[1].partition, PartitionId(1));
  EXPECT_EQ(one.ranges[2].begin, Offset(3));
  EXPECT_EQ(two.ranges.front().begin, Offset(4));
  EXPECT_EQ(this->ReadIds(stream, 0), (std::vector<int64_t>{0, 1, 2, 3, 100, 101, 102, 103, 104}));
  EXPECT_EQ(this->ReadIds(stream, 1), (std::vector<int64_t>{10, 11}));
}

TYPED_TEST_P(TransportConformanceTest, KnowsHowManyBytesAreStored) {
  const StreamId stream = this->Create("clicks");
  const auto describe = [&] { return this->transport_->Describe(stream, PartitionId(0)); };
  const auto behind = [&](size_t bytes, int64_t end = 150) {
    return this->transport_->OffsetBehind(stream, PartitionId(0), bytes, Offset(end));
  };
  EXPECT_EQ(describe().stored_bytes, 0U);
  EXPECT_EQ(behind(1), Offset(0));
  this->Append(stream, 0, 0, 100);
  const size_t first = describe().stored_bytes;
  EXPECT_GT(first, 0U);
  this->Append(stream, 0, 100, 50);
  const size_t both = describe().stored_bytes;
  EXPECT_GT(both, first);
  EXPECT_EQ(behind(0), Offset(0));
  EXPECT_EQ(behind(1), Offset(100));
  EXPECT_EQ(behind(first), Offset(100));
  EXPECT_EQ(behind(first + 1), Offset(150));
  EXPECT_EQ(behind(2 * both), Offset(150));
  EXPECT_EQ(behind(2 * both, 149), Offset(100));
  const auto trim = [&](int64_t begin) {
    auto epoch = this->transport_->BeginEpoch();
    epoch->Trim(stream, PartitionId(0), Offset(begin));
    this->Commit(*epoch);
  };
  trim(50);
  EXPECT_EQ(describe().stored_bytes, both) << "whole frames";
  trim(100);
  EXPECT_EQ(describe().stored_bytes, both - first);
  EXPECT_EQ(behind(1), Offset(150));
}

TYPED_TEST_P(TransportConformanceTest, CommitsRecordsAndPositionsTogether) {
  const StreamId a = this->Create("a");
  const StreamId b = this->Create("b", 2);
  auto epoch = this->transport_->BeginEpoch();
  epoch->Append(a, PartitionId(0), this->Rows(1, 1), {});
  epoch->AppendOpaque(b, PartitionId(1), FrameType::kState, Bytes(3));
  epoch->SetPosition("view", a, PartitionId(0), Offset(7));
  epoch->SetPosition("view", b, PartitionId(1), Offset(8));
  epoch->SetSourcePosition("files", "one.json", "12");
  epoch->SetSourcePosition("files", "two.json", "13");
  EXPECT_TRUE(this->transport_->ReaderPositions("view").empty());
  EXPECT_EQ(this->transport_->Describe(a, PartitionId(0)).appended_end, Offset(0));
  ASSERT_EQ(this->Commit(*epoch).outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(
      this->transport_->ReaderPositions("view"),
      (Transport::Positions{{{a, PartitionId(0)}, Offset(7)}, {{b, PartitionId(1)}, Offset(8)}}));
  EXPECT_EQ(this->transport_->Describe(b, PartitionId(1)).durable_end, Offset(1));
  auto next = this->transport_->BeginEpoch();
  next->SetSourcePosition("files", "one.json", "");
  this->Commit(*next);
  EXPECT_EQ(this->transport_->ReadSourcePositions("files"),
            (Transport::SourcePositions{{"two.json", "13"}}));
}

TYPED_TEST_P(TransportConformanceTest, DiscardsWhatIsNotCommitted) {
  const StreamId stream = this->Create("clicks");
  {
    auto epoch = this->transport_->BeginEpoch();
    epoch->Append(stream, PartitionId(0), this->Rows(0, 3), {});
  }
  EXPECT_EQ(this->Append(stream, 0, 5, 1).ranges.front().begin, Offset(0));
}

TYPED_TEST_P(TransportConformanceTest, SeeksIntoFrames) {
  const StreamId stream = this->Create("clicks");
  this->Append(stream, 0, 0, 10);
  this->Append(stream, 0, 10, 10);
  auto cursor =
      this->transport_->OpenCursor(stream, PartitionId(0), Offset(5), Visibility::kDurable);
  auto frames = cursor->Poll(1 << 20);
  ASSERT_TRUE(frames);
  ASSERT_EQ(frames->size(), 2U);
  EXPECT_EQ(frames->front().begin, Offset(0));
  EXPECT_EQ(cursor->position(), Offset(20));
  cursor->Seek(Offset(19));
  frames = cursor->Poll(1 << 20);
  ASSERT_EQ(frames->size(), 1U);
  EXPECT_EQ(frames->front().begin, Offset(10));
  EXPECT_TRUE(cursor->Poll(1)->empty());
}

TYPED_TEST_P(TransportConformanceTest, TrimsAndRefusesOffsetsOutside) {
  const StreamId stream = this->Create("clicks");
  this->Append(stream, 0, 0, 10);
  this->Append(stream, 0, 10, 10);
  const auto trim = [&](int64_t begin) {
    auto epoch = this->transport_->BeginEpoch();
    epoch->Trim(stream, PartitionId(0), Offset(begin));
    this->Commit(*epoch);
    return this->transport_->Describe(stream, PartitionId(0)).begin;
  };
  EXPECT_EQ(trim(15), Offset(15));
  EXPECT_EQ(trim(3), Offset(15));
  const auto code_at = [&](int64_t offset) {
    auto cursor =
        this->transport_->OpenCursor(stream, PartitionId(0), Offset(offset), Visibility::kDurable);
    const auto frames = cursor->Poll(1);
    return frames ? std::optional<ErrorCode>() : frames.error().code();
  };
  EXPECT_EQ(code_at(14), ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(code_at(15), std::nullopt);
  EXPECT_EQ(code_at(20), std::nullopt);
  EXPECT_EQ(code_at(21), ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(this->ReadIds(stream, 0, Offset(15)).front(), 10);
  EXPECT_EQ(trim(1000), Offset(20));
  EXPECT_EQ(this->Append(stream, 0, 20, 1).ranges.front().begin, Offset(20));
}

TYPED_TEST_P(TransportConformanceTest, CarriesTimesAndControlFrames) {
  const StreamId stream = this->Create("clicks");
  auto epoch = this->transport_->BeginEpoch();
  epoch->Append(stream, PartitionId(0), this->Rows(0, 1),
                {.append_time = 5, .min = 10, .max = 20, .limit = 30});
  const ControlFrame idle{.kind = ControlFrame::Kind::kIdle, .time = 40};
  epoch->AppendOpaque(stream, PartitionId(0), FrameType::kControl, idle.Encode());
  this->Commit(*epoch);
  auto cursor =
      this->transport_->OpenCursor(stream, PartitionId(0), Offset(0), Visibility::kDurable);
  const auto frames = cursor->Poll(1 << 20);
  ASSERT_EQ(frames->size(), 2U);
  EXPECT_EQ(frames->at(0).times.min, 10);
  EXPECT_EQ(frames->at(0).times.limit, 30);
  EXPECT_EQ(frames->at(0).max_event_time_before, kMicrosMin);
  EXPECT_EQ(frames->at(1).max_event_time_before, 20);
  EXPECT_EQ(ControlFrame::Decode(frames->at(1).payload->bytes())->time, 40);
  EXPECT_EQ(this->transport_->Describe(stream, PartitionId(0)).max_event_time, 20);
  EXPECT_EQ(this->transport_->Describe(stream, PartitionId(0)).control_frames, 1U);
}

TYPED_TEST_P(TransportConformanceTest, PutsControlFramesInFront) {
  const StreamId stream = this->Create("clicks");
  auto epoch = this->transport_->BeginEpoch();
  epoch->Append(stream, PartitionId(0), this->Rows(0, 2), {});
  epoch->PrependControl(stream, PartitionId(0), {.kind = ControlFrame::Kind::kActive}, 50);
  ASSERT_EQ(this->Commit(*epoch).outcome, CommitOutcome::kCommitted);
  auto cursor =
      this->transport_->OpenCursor(stream, PartitionId(0), Offset(0), Visibility::kDurable);
  const auto frames = cursor->Poll(1 << 20);
  ASSERT_EQ(frames->size(), 2U);
  EXPECT_EQ(frames->at(0).type, FrameType::kControl);
  EXPECT_EQ(frames->at(1).begin, Offset(1));
  EXPECT_EQ(frames->at(1).max_event_time_before, 50);
}

TYPED_TEST_P(TransportConformanceTest, CreatesAStreamOnce) {
  const StreamId stream = this->Create("clicks", 2);
  EXPECT_EQ(this->Create("clicks", 2), stream);
  const auto other = this->transport_->CreateStream(
      {.name = "clicks", .partitions = 3, .schema = this->RowSchema(), .properties = {}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::kStreamExists);
  const auto none = this->transport_->CreateStream(
      {.name = "none", .partitions = 0, .schema = this->RowSchema(), .properties = {}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kConfigInvalidValue);
  ASSERT_TRUE(this->transport_->FindStream("clicks"));
  EXPECT_EQ(this->transport_->FindStream("clicks")->definition.partitions, 2U);
  EXPECT_FALSE(this->transport_->FindStream("none"));
  EXPECT_FALSE(this->transport_->Streams().empty());
}

TYPED_TEST_P(TransportConformanceTest, DropsStreamsAndForgetsReaders) {
  const StreamId kept = this->Create("kept");
  const StreamId old = this->Create("view", 2);
  this->Append(kept, 0, 0, 3);
  this->Append(old, 1, 0, 4);
  auto epoch = this->transport_->BeginEpoch();
  epoch->SetPosition("view:view", kept, PartitionId(0), Offset(2));
  epoch->SetPosition("view:other", kept, PartitionId(0), Offset(1));
  epoch->SetSourcePosition("file:view", "a", "1");
  epoch->SetSourcePosition("file:other", "a", "2");
  ASSERT_EQ(this->Commit(*epoch).outcome, CommitOutcome::kCommitted);
  const Status changed =
      this->transport_->ChangeStreams({.redefined = {},
                                       .dropped = {old},
                                       .forgotten_readers = {"view:view", "view:none"},
                                       .forgotten_sources = {"file:view"}});
  ASSERT_TRUE(changed) << changed.error().ToString();

  EXPECT_FALSE(this->transport_->FindStream("view"));
  EXPECT_EQ(this->transport_->Describe(old, PartitionId(1)).begin, Offset(4)) << "no records";
  EXPECT_TRUE(this->transport_->ReaderPositions("view:view").empty());
  EXPECT_EQ(this->transport_->ReaderPositions("view:other").size(), 1U);
  EXPECT_TRUE(this->transport_->ReadSourcePositions("file:view").empty());
  EXPECT_EQ(this->transport_->ReadSourcePositions("file:other").size(), 1U);
  for (const StreamInfo& stream : this->transport_->Streams()) {
    EXPECT_NE(stream.id, old);
  }
  const StreamId made_again = this->Create("view", 3);
  EXPECT_NE(made_again, old);
  EXPECT_EQ(this->transport_->Describe(made_again, PartitionId(0)).appended_end, Offset(0));
  EXPECT_EQ(this->transport_->Describe(kept, PartitionId(0)).durable_end, Offset(3));
}

TYPED_TEST_P(TransportConformanceTest, RenamesAStreamOverADroppedOne) {
  const StreamId input = this->Create("input");
  const StreamId old = this->Create("view", 2);
  const StreamId next = this->Create("next$view", 3);
  this->Append(input, 0, 0, 3);
  this->Append(old, 1, 0, 4);
  this->Append(next, 0, 0, 2);
  auto epoch = this->transport_->BeginEpoch();
  epoch->SetPosition("view:view", input, PartitionId(0), Offset(2));
  epoch->SetPosition("view:view", old, PartitionId(0), Offset(1));
  epoch->SetPosition("next$view:view", input, PartitionId(0), Offset(3));
  ASSERT_EQ(this->Commit(*epoch).outcome, CommitOutcome::kCommitted);
  ASSERT_TRUE(this->transport_->ChangeStreams({.redefined = {},
                                               .dropped = {old},
                                               .renamed = {{.from = "next$view", .to = "view"}},
                                               .forgotten_readers = {},
                                               .renamed_readers = {{"next$view:view", "view:view"}},
                                               .forgotten_sources = {}}));

  ASSERT_TRUE(this->transport_->FindStream("view"));
  EXPECT_EQ(this->transport_->FindStream("view")->id, next);
  EXPECT_FALSE(this->transport_->FindStream("next$view"));
  EXPECT_TRUE(this->transport_->ReaderPositions("next$view:view").empty());
  const Transport::Positions expected{{{input, PartitionId(0)}, Offset(3)}};
  EXPECT_EQ(this->transport_->ReaderPositions("view:view"), expected);
  this->Append(next, 0, 2, 2);
  EXPECT_EQ(this->ReadIds(next, 0), (std::vector<int64_t>{0, 1, 2, 3}));
  const auto again = this->transport_->CreateStream(
      {.name = "view", .partitions = 3, .schema = this->RowSchema(), .properties = {}});
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(*again, next);
  EXPECT_NE(this->Create("next$view", 1), next) << "the name is free";
}

TYPED_TEST_P(TransportConformanceTest, RedefinesAStream) {
  const StreamId stream = this->Create("clicks");
  this->Append(stream, 0, 0, 3);
  StreamInfo info = *this->transport_->FindStream("clicks");
  std::vector<Field> fields = info.definition.schema->fields();
  fields.push_back({.name = "added", .type = DataType::Of(TypeId::kText), .nullable = true});
  info.definition.schema = MakeSchema(fields);
  ASSERT_TRUE(this->transport_->ChangeStreams(
      {.redefined = {info}, .dropped = {}, .forgotten_readers = {}, .forgotten_sources = {}}));
  EXPECT_EQ(this->transport_->FindStream("clicks")->definition.schema->size(), fields.size());
  const auto again = this->transport_->CreateStream(info.definition);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, stream);
  EXPECT_EQ(this->transport_->Describe(stream, PartitionId(0)).durable_end, Offset(3));
}

TYPED_TEST_P(TransportConformanceTest, NotifiesUntilUnsubscribed) {
  const StreamId a = this->Create("a");
  const StreamId b = this->Create("b");
  std::atomic<int> appended = 0;
  std::atomic<int> durable = 0;
  const auto first = this->transport_->Subscribe(a, Visibility::kAppended, [&] { appended += 1; });
  const auto second = this->transport_->Subscribe(a, Visibility::kDurable, [&] { durable += 1; });
  this->Append(b, 0, 0, 1);
  EXPECT_EQ(appended + durable, 0);
  this->Append(a, 0, 0, 1);
  EXPECT_EQ(appended, 1);
  EXPECT_EQ(durable, 1);
  this->transport_->Unsubscribe(first);
  this->transport_->Unsubscribe(second);
  this->Append(a, 0, 0, 1);
  EXPECT_EQ(appended + durable, 2);
}

TYPED_TEST_P(TransportConformanceTest, KeepsTheOrderOfConcurrentWriters) {
  constexpr int64_t kWriters = 4;
  constexpr int64_t kEpochs = 50;
  const StreamId stream = this->Create("clicks");
  {
    std::vector<Thread> threads;
    threads.reserve(kWriters);
    for (int64_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back("writer", [&, writer] {
        for (int64_t i = 0; i < kEpochs; ++i) {
          auto epoch = this->transport_->BeginEpoch();
          epoch->Append(stream, PartitionId(0), this->Rows(writer * kEpochs + i, 1), {});
          if (i + 1 < kEpochs) {
            epoch->CommitAsync([](const CommitResult&) {});
          } else {
            this->Commit(*epoch);
          }
        }
      });
    }
  }
  const std::vector<int64_t> ids = this->ReadIds(stream, 0);
  ASSERT_EQ(ids.size(), static_cast<size_t>(kWriters * kEpochs));
  std::vector<int64_t> next(kWriters, 0);
  for (const int64_t id : ids) {
    EXPECT_EQ(id % kEpochs, next[static_cast<size_t>(id / kEpochs)]++);
  }
}

REGISTER_TYPED_TEST_SUITE_P(TransportConformanceTest, GivesDenseOffsetsInCommitOrder,
                            KnowsHowManyBytesAreStored, CommitsRecordsAndPositionsTogether,
                            DiscardsWhatIsNotCommitted, SeeksIntoFrames,
                            TrimsAndRefusesOffsetsOutside, CarriesTimesAndControlFrames,
                            PutsControlFramesInFront, CreatesAStreamOnce,
                            DropsStreamsAndForgetsReaders, RenamesAStreamOverADroppedOne,
                            RedefinesAStream, NotifiesUntilUnsubscribed,
                            KeepsTheOrderOfConcurrentWriters);

}  // namespace millrace
