#include "millrace/stream/embedded/embedded_transport.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/data/column_builder.h"

namespace millrace {
namespace {

SchemaPtr TestSchema() {
  return MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                     {.name = "name", .type = DataType::Of(TypeId::kText)}});
}

BatchPtr Rows(int64_t first, int64_t count) {
  ColumnBuilder ids(DataType::Of(TypeId::kInt64));
  ColumnBuilder names(DataType::Of(TypeId::kText));
  for (int64_t i = first; i < first + count; ++i) {
    ids.AppendFixed(i);
    names.AppendText(fmt::format("a name that is not inlined {}", i));
  }
  return Batch::Make(TestSchema(), {ids.Finish(), names.Finish()}, static_cast<size_t>(count));
}

class EmbeddedTransportTest : public ::testing::Test {
 protected:
  void Open() {
    EmbeddedTransport::Options options;
    options.manual = true;
    options.journal_file_bytes = 4096;
    options.segment_bytes = 8192;
    options.direct_bytes_min = 2048;
    options.cache_bytes_max = 1024;
    options.metrics = EmbeddedMetrics(metrics_);
    options.on_fatal = [this](const Error&) { on_fatal_(); };
    auto opened = EmbeddedTransport::Open(files_, clock_, "/data", options);
    ASSERT_TRUE(opened) << opened.error().ToString();
    transport_ = *std::move(opened);
  }

  CommitResult Append(StreamId stream, PartitionId partition, BatchPtr batch) {
    auto epoch = transport_->BeginEpoch();
    epoch->Append(stream, partition, std::move(batch), {});
    epoch->SetPosition("reader", stream, partition, Offset(next_position_++));
    CommitResult result;
    epoch->CommitAsync([&](const CommitResult& r) { result = r; });
    transport_->RunRound();
    return result;
  }

  std::vector<int64_t> ReadIds(StreamId stream, PartitionId partition) {
    auto cursor = transport_->OpenCursor(stream, partition, Offset(0), Visibility::kDurable);
    std::vector<int64_t> ids;
    while (true) {
      auto frames = cursor->Poll(1 << 20);
      EXPECT_TRUE(frames) << frames.error().ToString();
      if (!frames || frames->empty()) {
        return ids;
      }
      for (const StreamFrame& frame : *frames) {
        for (const int64_t id : frame.batch->column(0).Values<int64_t>()) {
          ids.push_back(id);
        }
      }
    }
  }

  MetricsRegistry metrics_;
  SimulatedFileSystem files_{1};
  ManualClock clock_;
  std::function<void()> on_fatal_ = [] { FAIL() << "the transport has failed"; };
  std::unique_ptr<EmbeddedTransport> transport_;
  int64_t next_position_ = 1;
};

std::vector<int64_t> Sequence(int64_t count) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST_F(EmbeddedTransportTest, KeepsRecordsAndPositionsOverRestarts) {
  Open();
  const auto stream = transport_->CreateStream(
      {.name = "clicks", .partitions = 2, .schema = TestSchema(), .properties = {}});
  ASSERT_TRUE(stream) << stream.error().ToString();
  int64_t next = 0;
  for (int restart = 0; restart < 5; ++restart) {
    for (int i = 0; i < 40; ++i) {
      const int64_t count = i % 3 == 0 ? 100 : 1;
      const CommitResult result = Append(*stream, PartitionId(1), Rows(next, count));
      ASSERT_EQ(result.outcome, CommitOutcome::kCommitted);
      ASSERT_EQ(result.ranges.front().begin, Offset(next));
      next += count;
      transport_->RunCopier();
    }
    EXPECT_EQ(ReadIds(*stream, PartitionId(1)), Sequence(next));
    transport_.reset();
    Open();
    EXPECT_EQ(ReadIds(*stream, PartitionId(1)), Sequence(next));
    EXPECT_EQ(transport_->ReaderPositions("reader").at({*stream, PartitionId(1)}),
              Offset(next_position_ - 1));
  }
}

TEST_F(EmbeddedTransportTest, CountsWhatReadersFindInMemory) {
  Open();
  const auto stream = transport_->CreateStream(
      {.name = "clicks", .partitions = 1, .schema = TestSchema(), .properties = {}});
  ASSERT_TRUE(stream) << stream.error().ToString();
  const FrameCacheMetrics cache(metrics_);
  const SubscriptionId subscription = transport_->Subscribe(*stream, Visibility::kDurable, [] {});
  Append(*stream, PartitionId(0), Rows(0, 1));
  EXPECT_GT(cache.bytes.value(), 0);
  EXPECT_EQ(ReadIds(*stream, PartitionId(0)), Sequence(1));
  EXPECT_EQ(cache.hits.value(), 1);
  EXPECT_EQ(cache.misses.value(), 0);
  // More than the cache may hold: nothing stays.
  Append(*stream, PartitionId(0), Rows(1, 100));
  EXPECT_EQ(cache.bytes.value(), 0);
  EXPECT_EQ(ReadIds(*stream, PartitionId(0)), Sequence(101));
  EXPECT_EQ(cache.hits.value(), 1);
  EXPECT_EQ(cache.misses.value(), 2);
  transport_->Unsubscribe(subscription);
  Append(*stream, PartitionId(0), Rows(101, 1));
  EXPECT_EQ(cache.bytes.value(), 0) << "nobody waits for it";
  EXPECT_EQ(ReadIds(*stream, PartitionId(0)), Sequence(102));
}

TEST_F(EmbeddedTransportTest, CountsControlFramesOverRestarts) {
  Open();
  const auto stream = transport_->CreateStream(
      {.name = "clicks", .partitions = 1, .schema = TestSchema(), .properties = {}});
  ASSERT_TRUE(stream) << stream.error().ToString();
  const auto control_frames = [&] {
    return transport_->Describe(*stream, PartitionId(0)).control_frames;
  };
  for (uint64_t i = 0; i < 40; ++i) {
    Append(*stream, PartitionId(0), Rows(static_cast<int64_t>(i), 1));
    auto epoch = transport_->BeginEpoch();
    epoch->AppendOpaque(*stream, PartitionId(0), FrameType::kControl,
                        ControlFrame{.kind = ControlFrame::Kind::kIdle}.Encode());
    epoch->CommitAsync({});
    EXPECT_EQ(control_frames(), i) << "it is not durable yet";
    transport_->RunRound();
    if (i == 20) {
      transport_->RunCopier();  // Some are in segments then, and some in journals.
      transport_.reset();
      Open();
    }
    EXPECT_EQ(control_frames(), i + 1);
  }
  auto epoch = transport_->BeginEpoch();
  epoch->Trim(*stream, PartitionId(0), Offset(40));
  epoch->CommitAsync({});
  transport_->RunRound();
  EXPECT_EQ(control_frames(), 20U);
  transport_.reset();
  Open();
  EXPECT_EQ(control_frames(), 20U);
}

TEST_F(EmbeddedTransportTest, DecidesInOrderWhenItFails) {
  Open();
  const auto stream = transport_->CreateStream(
      {.name = "clicks", .partitions = 1, .schema = TestSchema(), .properties = {}});
  ASSERT_TRUE(stream) << stream.error().ToString();
  std::vector<int> decided;
  const auto commit = [&](int number) {
    auto epoch = transport_->BeginEpoch();
    epoch->Append(*stream, PartitionId(0), Rows(number, 1), {});
    epoch->CommitAsync([&decided, number](const CommitResult& result) {
      EXPECT_EQ(result.outcome, CommitOutcome::kUnknown);
      decided.push_back(number);
    });
  };
  // One more comes while the first ones have not heard of the failure.
  on_fatal_ = [&] { commit(3); };
  commit(1);
  commit(2);
  files_.SetFaults({.write_errors = {.first = 0, .count = FaultPlan::kForever}});
  transport_->RunRound();
  commit(4);
  transport_->RunRound();
  EXPECT_THAT(decided, testing::ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace millrace
