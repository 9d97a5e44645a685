#include "millrace/app/change_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SchemaPtr kSchema =
    MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64), .nullable = false}});

BatchPtr Numbers(std::initializer_list<int64_t> numbers, std::vector<int32_t> weights = {}) {
  ColumnBuilder builder(kSchema->field(0).type);
  for (const int64_t number : numbers) {
    builder.AppendFixed(number);
  }
  return Batch::Make(kSchema, {builder.Finish()}, numbers.size(),
                     {.weights = weights.empty() ? nullptr : Buffer::Own(std::move(weights)),
                      .watermarks_before = nullptr,
                      .offsets = nullptr});
}

class ChangeFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const StreamDefinition definition{
        .name = "numbers", .partitions = 2, .schema = kSchema, .properties = {}};
    stream_ = StreamInfo{.id = *transport_->CreateStream(definition), .definition = definition};
  }

  void Append(uint32_t partition, const BatchPtr& batch) {
    auto writer = transport_->BeginEpoch();
    writer->Append(stream_.id, PartitionId(partition), batch, {});
    writer->CommitAsync({});
  }

  void AppendControl(uint32_t partition) {
    auto writer = transport_->BeginEpoch();
    writer->PrependControl(stream_.id, PartitionId(partition), {}, kMicrosMin);
    writer->CommitAsync({});
  }

  void Trim(uint32_t partition, int64_t begin) {
    auto writer = transport_->BeginEpoch();
    writer->Trim(stream_.id, PartitionId(partition), Offset(begin));
    writer->CommitAsync({});
  }

  ChangeFeed Feed(std::vector<Offset> position,
                  std::shared_ptr<const ServedRows::Root> snapshot = nullptr) {
    return ChangeFeed(*transport_, stream_, std::move(position), std::move(snapshot), {});
  }

  /// The events of a chunk as "type id data".
  static std::vector<std::string> Events(const serve::EventSource::Chunk& chunk) {
    std::vector<std::string> events;
    std::string event;
    for (size_t at = 0; at < chunk.bytes.size();) {
      const size_t end = chunk.bytes.find('\n', at);
      const std::string line = chunk.bytes.substr(at, end - at);
      at = end + 1;
      if (line.empty()) {
        events.push_back(std::exchange(event, {}));
      } else {
        event += (event.empty() ? "" : " ") + line.substr(line.find(": ") + 2);
      }
    }
    EXPECT_TRUE(event.empty()) << "a part of an event: " << event;
    return events;
  }

  static std::vector<std::string> ReadAll(ChangeFeed& feed) {
    while (feed.Fill()) {
    }
    return Events(feed.Take(SIZE_MAX));
  }

  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  StreamInfo stream_;
};

TEST_F(ChangeFeedTest, GivesEachChangeWithThePositionBehindIt) {
  Append(0, Numbers({5, 6}, {1, -1}));
  Append(1, Numbers({7}));
  auto feed = Feed({Offset(0), Offset(0)});
  EXPECT_THAT(ReadAll(feed), ElementsAre(R"(change 1.0 {"weight":1,"row":{"n":5}})",
                                         R"(change 2.0 {"weight":-1,"row":{"n":6}})",
                                         R"(change 2.1 {"weight":1,"row":{"n":7}})"));
  EXPECT_THAT(ReadAll(feed), IsEmpty());
  Append(1, Numbers({8}));
  EXPECT_THAT(ReadAll(feed), ElementsAre(R"(change 2.2 {"weight":1,"row":{"n":8}})"));
}

TEST_F(ChangeFeedTest, ResumesInsideAFrame) {
  Append(0, Numbers({5, 6, 7}));
  auto feed = Feed({Offset(2), Offset(0)});
  EXPECT_THAT(ReadAll(feed), ElementsAre(R"(change 3.0 {"weight":1,"row":{"n":7}})"));
}

TEST_F(ChangeFeedTest, PassesControlFramesSilently) {
  Append(0, Numbers({5}));
  AppendControl(0);
  Append(0, Numbers({6}));
  auto feed = Feed({Offset(0), Offset(0)});
  EXPECT_THAT(ReadAll(feed), ElementsAre(R"(change 1.0 {"weight":1,"row":{"n":5}})",
                                         R"(change 3.0 {"weight":1,"row":{"n":6}})"));
}

TEST_F(ChangeFeedTest, SaysWhatIsNoLongerRetained) {
  Append(0, Numbers({5, 6}));
  Append(0, Numbers({7}));
  Trim(0, 2);
  auto feed = Feed({Offset(0), Offset(0)});
  while (feed.Fill()) {
  }
  const auto chunk = feed.Take(SIZE_MAX);
  EXPECT_EQ(chunk.gaps_count, 1U);
  EXPECT_THAT(Events(chunk), ElementsAre(R"(gap 2.0 {"partition":0,"from":0,"to":2})",
                                         R"(change 3.0 {"weight":1,"row":{"n":7}})"));
  EXPECT_EQ(feed.Take(SIZE_MAX).gaps_count, 0U);
}

TEST_F(ChangeFeedTest, GivesASnapshotThenItsPositionThenChanges) {
  ServedRows served(1);
  served.Apply(0, *Numbers({5, 5, 6}));
  served.Publish({Offset(3), Offset(0)}, {});
  Append(0, Numbers({5, 5, 6}));
  Append(1, Numbers({7}));
  auto feed = Feed({Offset(3), Offset(0)}, served.root());
  auto events = ReadAll(feed);
  ASSERT_EQ(events.size(), 4U);
  std::sort(events.begin(), events.begin() + 2);
  EXPECT_THAT(events, ElementsAre(R"(snapshot {"weight":1,"row":{"n":6}})",
                                  R"(snapshot {"weight":2,"row":{"n":5}})",
                                  R"(progress 3.0 {"position":"3.0"})",
                                  R"(change 3.1 {"weight":1,"row":{"n":7}})"));
}

TEST_F(ChangeFeedTest, NeverHoldsMoreThanItsBufferForASlowClient) {
  constexpr int64_t kBatches = 400;
  for (int64_t i = 0; i < kBatches; ++i) {
    Append(0, Numbers({i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i}));
  }
  auto feed = Feed({Offset(0), Offset(0)});
  size_t events = 0;
  size_t largest = 0;
  while (true) {
    while (feed.Fill()) {
    }
    EXPECT_FALSE(feed.Fill());  // Full: it does not even read.
    const auto chunk = feed.Take(SIZE_MAX);
    if (chunk.bytes.empty()) {
      break;
    }
    largest = std::max(largest, chunk.bytes.size());
    events += Events(chunk).size();
  }
  EXPECT_EQ(events, kBatches * 20U);
  // What one look at each partition renders may come on top.
  EXPECT_LT(largest, 4 * ChangeFeed::kBufferBytes);
}

TEST_F(ChangeFeedTest, GivesWholeEventsOnly) {
  Append(0, Numbers({5, 6, 7}));
  auto feed = Feed({Offset(0), Offset(0)});
  feed.Fill();
  std::vector<std::string> events;
  for (const size_t bytes_max : {1U, 60U, 100U}) {
    for (const std::string& event : Events(feed.Take(bytes_max))) {
      events.push_back(event);
    }
  }
  EXPECT_EQ(events.size(), 3U);
}

TEST_F(ChangeFeedTest, EndsWhenAnotherStreamHasTakenTheViewsName) {
  StreamDefinition definition{
      .name = "view", .partitions = 1, .schema = kSchema, .properties = {{"kind", "view"}}};
  stream_ = {.id = *transport_->CreateStream(definition), .definition = definition};
  Append(0, Numbers({5}));
  auto feed = Feed({Offset(0)});
  feed.EndIfReplaced();
  definition.name = "next";
  const auto next = transport_->CreateStream(definition);
  // As records go before names do, there may be a look at it between.
  Trim(0, 1);
  EXPECT_THAT(ReadAll(feed), IsEmpty()) << "no gap: nothing was given up";
  ASSERT_TRUE(transport_->ChangeStreams({.redefined = {},
                                         .dropped = {stream_.id},
                                         .renamed = {{.from = "next", .to = "view"}},
                                         .forgotten_readers = {},
                                         .forgotten_sources = {}}));
  feed.EndIfReplaced();
  feed.EndIfReplaced();
  const auto chunk = feed.Take(SIZE_MAX);
  EXPECT_THAT(Events(chunk),
              ElementsAre(fmt::format("rebuilt {0}:0 {{\"position\":\"{0}:0\"}}", *next)));
  EXPECT_TRUE(chunk.is_end);
}

TEST_F(ChangeFeedTest, WakesItsClientWhenThereIsSomething) {
  int wakes = 0;
  auto feed = Feed({Offset(0), Offset(0)});
  feed.SetWake([&] { ++wakes; });
  feed.Fill();
  EXPECT_EQ(wakes, 0);
  Append(0, Numbers({5}));
  feed.Fill();
  EXPECT_EQ(wakes, 1);
}

}  // namespace
}  // namespace millrace
