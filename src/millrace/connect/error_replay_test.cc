#include "millrace/connect/error_replay.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// clicks (n bigint NOT NULL), one partition. What is repaired between two opens of it is that
/// fields which no column declares are ignored.
class ErrorReplayTest : public ::testing::Test {
 protected:
  void Open(UndeclaredFields undeclared, OnFull on_full = OnFull::kPause) {
    TableDefinition table;
    table.name = "clicks";
    table.schema =
        MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
    table.partitions = 1;
    table.on_full = on_full;
    StreamIngestor::Options options;
    options.json.undeclared = undeclared;
    options.json.record_bytes_max = 1000;
    auto opened = StreamIngestor::Open(table, *transport_, clock_, options);
    ASSERT_TRUE(opened) << opened.error().ToString();
    ingestor_ = *std::move(opened);
  }

  void Post(std::string_view body, JsonFraming framing = JsonFraming::kLines) {
    ASSERT_TRUE(ingestor_->Commit(ingestor_->Decode(PaddedBuffer(body), framing), {}, {}, {}));
  }

  /// "accepted refused skipped", or the error.
  std::string Replay() {
    auto outcome = ErrorReplay(*ingestor_, *transport_, {}, beside_source_, ended_).Run();
    return outcome ? fmt::format("{} {} {}", outcome->accepted, outcome->refused, outcome->skipped)
                   : outcome.error().ToString();
  }

  std::vector<int64_t> Numbers() {
    const auto cursor = transport_->OpenCursor(ingestor_->stream(), PartitionId(0), Offset(0),
                                               Visibility::kDurable);
    std::vector<int64_t> numbers;
    const std::vector<StreamFrame> frames = *cursor->Poll(SIZE_MAX);
    for (const StreamFrame& frame : frames) {
      if (frame.type == FrameType::kData) {
        const auto values = frame.batch->column(0).Values<int64_t>();
        numbers.insert(numbers.end(), values.begin(), values.end());
      }
    }
    return numbers;
  }

  ManualClock clock_{1'767'225'600'000'000};  // 2026-01-01
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
  bool beside_source_ = false;
  std::atomic<bool> ended_{false};
};

TEST_F(ErrorReplayTest, FeedsEachRefusedRecordBackOnce) {
  Open(UndeclaredFields::kError);
  Post("{\"n\":1}\n{\"n\":2,\"x\":0}\n{\"n\":3,\"x\":0}\n");
  Post("[{\"n\":4,\n\"x\":0}, {\"n\":5,\"x\":0}]", JsonFraming::kDocument);
  EXPECT_THAT(Numbers(), ElementsAre(1));
  Open(UndeclaredFields::kIgnore);
  EXPECT_EQ(Replay(), "4 0 0");
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(Replay(), "0 0 0");
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ErrorReplayTest, WhatIsRefusedAgainWaitsForTheNextReplay) {
  Open(UndeclaredFields::kError);
  Post("{\"n\":1,\"x\":0}\n{\"n\":\n{\"m\":2}\n");
  EXPECT_EQ(Replay(), "0 3 0");
  Open(UndeclaredFields::kIgnore);
  EXPECT_EQ(Replay(), "1 2 0");
  EXPECT_EQ(Replay(), "0 2 0");
  EXPECT_THAT(Numbers(), ElementsAre(1));
}

TEST_F(ErrorReplayTest, LeavesOutRecordsThatAreNotThereWhole) {
  Open(UndeclaredFields::kError);
  Post("{\"n\":1,\"text\":\"" + std::string(2000, 'a') + "\"}\n{\"n\":2,\"x\":0}\n");
  Open(UndeclaredFields::kIgnore);
  EXPECT_EQ(Replay(), "1 0 1");
  EXPECT_THAT(Numbers(), ElementsAre(2));
  EXPECT_EQ(Replay(), "0 0 0");
}

TEST_F(ErrorReplayTest, TakesManyRecordsInSeveralEpochs) {
  Open(UndeclaredFields::kError);
  constexpr int kRecords = 10'000;
  std::string body;
  for (int n = 0; n < kRecords; ++n) {
    body += fmt::format("{{\"n\":{},\"x\":\"{}\"}}\n", n, std::string(300, 'x'));
  }
  Post(body);
  Open(UndeclaredFields::kIgnore);
  EXPECT_EQ(Replay(), fmt::format("{} 0 0", kRecords));
  const auto numbers = Numbers();
  ASSERT_EQ(numbers.size(), kRecords);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
}

TEST_F(ErrorReplayTest, WaitsForAFullTable) {
  Open(UndeclaredFields::kError);
  Post("{\"n\":1,\"x\":0}\n");
  for (const OnFull on_full : {OnFull::kPause, OnFull::kDrop}) {
    Open(UndeclaredFields::kIgnore, on_full);
    ingestor_->SetFull(true);
    EXPECT_THAT(Replay(), StartsWith("MR5013: "));
  }
  Post("{\"n\":7}\n{\"n\":8}\n");
  EXPECT_THAT(Numbers(), IsEmpty());
  ingestor_->SetFull(false);
  EXPECT_EQ(Replay(), "1 0 1") << "what is lost cannot be fed back";
  EXPECT_THAT(Numbers(), ElementsAre(1));
}

TEST_F(ErrorReplayTest, EndsWhenItIsTold) {
  Open(UndeclaredFields::kError);
  Post("{\"n\":1,\"x\":0}\n");
  Open(UndeclaredFields::kIgnore);
  ended_ = true;
  EXPECT_EQ(Replay(), "MR7010: the server is stopping");
  EXPECT_THAT(Numbers(), IsEmpty());
  ended_ = false;
  EXPECT_EQ(Replay(), "1 0 0");
}

}  // namespace
}  // namespace millrace
