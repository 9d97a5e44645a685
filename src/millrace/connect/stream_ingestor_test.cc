#include "millrace/connect/stream_ingestor.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/expr/expression.h"
#include "millrace/expr/functions.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr Micros kNow = 1'767'225'600'000'000;  // 2026-01-01

/// clicks (n bigint NOT NULL, at timestamptz), three partitions by n.
TableDefinition Clicks() {
  TableDefinition table;
  table.name = "clicks";
  table.schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                             {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
  table.event_time = 1;
  table.watermark_delay = 0;
  table.partitions = 3;
  table.partition_by = {0};
  return table;
}

class StreamIngestorTest : public ::testing::Test {
 protected:
  void Open(const TableDefinition& table = Clicks(), const StreamIngestor::Options& options = {}) {
    auto opened = StreamIngestor::Open(table, *transport_, clock_, options);
    ASSERT_TRUE(opened) << opened.error().ToString();
    ingestor_ = *std::move(opened);
  }

  StreamIngestor::Decoded Decode(std::string_view body) {
    return ingestor_->Decode(PaddedBuffer(body), JsonFraming::kLines);
  }

  Status Post(std::string_view body) {
    return ingestor_->Commit(Decode(body), {}, {}, [](const CommitResult& result) {
      ASSERT_EQ(result.outcome, CommitOutcome::kCommitted);
    });
  }

  std::vector<StreamFrame> Frames(std::string_view stream, uint32_t partition) {
    const auto cursor =
        transport_->OpenCursor(transport_->FindStream(stream)->id, PartitionId(partition),
                               Offset(0), Visibility::kDurable);
    return *cursor->Poll(SIZE_MAX);
  }

  /// The numbers in all partitions, each partition in order.
  std::vector<std::vector<int64_t>> Numbers(std::string_view stream, uint32_t partitions) {
    std::vector<std::vector<int64_t>> numbers(partitions);
    for (uint32_t p = 0; p < partitions; ++p) {
      for (const StreamFrame& frame : Frames(stream, p)) {
        if (frame.type == FrameType::kData) {
          const auto values = frame.batch->column(0).Values<int64_t>();
          numbers[p].insert(numbers[p].end(), values.begin(), values.end());
        }
      }
    }
    return numbers;
  }

  std::vector<ControlFrame::Kind> Controls(uint32_t partition) {
    std::vector<ControlFrame::Kind> kinds;
    for (const StreamFrame& frame : Frames("clicks", partition)) {
      if (frame.type == FrameType::kControl) {
        kinds.push_back(ControlFrame::Decode(frame.payload->bytes())->kind);
      }
    }
    return kinds;
  }

  ManualClock clock_{kNow};
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
};

TEST_F(StreamIngestorTest, AFullTableTurnsRecordsAway) {
  Open();
  ASSERT_TRUE(Post("{\"n\":1}\n"));
  ingestor_->SetFull(true);
  const auto refused = Post("{\"n\":2}\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kTableFull);
  EXPECT_TRUE(Post("nothing that takes room\n"));
  ingestor_->SetFull(false);
  ASSERT_TRUE(Post("{\"n\":2}\n"));
  const auto numbers = Numbers("clicks", 3);
  EXPECT_EQ(numbers[0].size() + numbers[1].size() + numbers[2].size(), 2U);
}

TEST_F(StreamIngestorTest, AFullTableCountsWhatItLoses) {
  TableDefinition table = Clicks();
  table.on_full = OnFull::kDrop;
  Open(table);
  ingestor_->SetFull(true);
  const auto decoded = Decode("{\"n\":1}\n{\"m\":2}\n{\"n\":3}\n");
  EXPECT_EQ(decoded.accepted, 0U);
  EXPECT_EQ(decoded.refused(), 1U);
  EXPECT_EQ(decoded.lost, 2U);
  ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  EXPECT_THAT(Numbers("clicks", 3), ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
  const auto frames = Frames("errors$clicks", 0);
  ASSERT_EQ(frames.size(), 1U);
  const Batch& rows = *frames[0].batch;
  ASSERT_EQ(rows.rows(), 2U);
  EXPECT_THAT(rows.column(*rows.schema().Find("message")).Text(1),
              StartsWith("2 records are lost: "));
  ingestor_->SetFull(false);
  EXPECT_EQ(Decode("{\"n\":3}\n").accepted, 1U);
}

TEST_F(StreamIngestorTest, KeepsEqualKeysInOnePartitionAndInOrder) {
  Open();
  ASSERT_TRUE(Post("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":1}\n"));
  ASSERT_TRUE(Post("{\"n\":1}\n{\"n\":2}\n"));
  std::map<int64_t, std::set<size_t>> partitions_of;
  size_t count = 0;
  const auto numbers = Numbers("clicks", 3);
  for (size_t p = 0; p < numbers.size(); ++p) {
    for (const int64_t n : numbers[p]) {
      partitions_of[n].insert(p);
      ++count;
    }
  }
  EXPECT_EQ(count, 6U);
  for (const auto& [n, partitions] : partitions_of) {
    EXPECT_EQ(partitions.size(), 1U) << n;
  }
}

TEST_F(StreamIngestorTest, SendsWholeRequestsInTurnWithoutPartitionColumns) {
  TableDefinition table = Clicks();
  table.partition_by.clear();
  Open(table);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(Post(fmt::format("{{\"n\":{0}}}\n{{\"n\":{0}}}\n", i)));
  }
  EXPECT_THAT(Numbers("clicks", 3),
              ElementsAre(ElementsAre(0, 0, 3, 3), ElementsAre(1, 1), ElementsAre(2, 2)));
}

TEST_F(StreamIngestorTest, KeepsRefusedRecordsWithCodeAndBytes) {
  Open();
  const auto decoded = Decode("{\"n\":1}\n{\"n\":\"x\"}\n{}\nnonsense\n");
  EXPECT_EQ(decoded.accepted, 1U);
  ASSERT_EQ(decoded.errors.size(), 3U);
  EXPECT_EQ(decoded.errors[0].record, 1U);
  EXPECT_EQ(decoded.errors[2].record, 3U);
  EXPECT_EQ(decoded.errors[2].code, ErrorCode::kRecordSyntax);
  ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  const auto frames = Frames("errors$clicks", 0);
  ASSERT_EQ(frames.size(), 1U);
  ASSERT_EQ(frames[0].batch->rows(), 3U);
  const auto record = ErrorRowSchema()->Find("record");
  ASSERT_TRUE(record);
  EXPECT_EQ(frames[0].batch->column(*record).Text(2), "nonsense");
}

TEST_F(StreamIngestorTest, RefusesRecordsWhoseGeneratedColumnFails) {
  TableDefinition table = Clicks();
  table.schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                             {.name = "share", .type = DataType::Of(TypeId::kInt64)}});
  table.event_time.reset();
  const DataType bigint = DataType::Of(TypeId::kInt64);
  const ScalarFunction& divide = GetFunction("/", std::array{TypeId::kInt64, TypeId::kInt64});
  table.generated = {{.column = 1,
                      .expression = MakeCall(divide, {MakeLiteral(Value(int64_t{100}), bigint),
                                                      MakeColumn(0, bigint, false)})}};
  Open(table);
  const auto decoded = Decode("{}\n{\"n\":4}\n{\"n\":0}\nnonsense\n{\"n\":0}\n{\"n\":5}\n");
  EXPECT_EQ(decoded.accepted, 2U);
  std::vector<std::pair<uint64_t, ErrorCode>> errors;
  errors.reserve(decoded.errors.size());
  for (const RecordError& error : decoded.errors) {
    errors.emplace_back(error.record, error.code);
  }
  EXPECT_THAT(errors, ElementsAre(std::pair(0, ErrorCode::kRecordMissingColumn),
                                  std::pair(2, ErrorCode::kGeneratedColumnFailed),
                                  std::pair(3, ErrorCode::kRecordSyntax),
                                  std::pair(4, ErrorCode::kGeneratedColumnFailed)));
  ASSERT_EQ(decoded.rows->rows(), 2U);
  EXPECT_EQ(decoded.rows->column(1).Values<int64_t>()[0], 25);
  EXPECT_EQ(decoded.rows->column(1).Values<int64_t>()[1], 20);
}

TEST_F(StreamIngestorTest, RecordsBesideTheSourceLeaveItsWatermark) {
  TableDefinition table = Clicks();
  table.partitions = 1;
  Open(table);
  ASSERT_TRUE(ingestor_->Commit(Decode(R"({"n":1,"at":"2026-01-01T00:00:00Z"})"), {}, {}, {}));
  const StreamIngestor::PartitionChange idle{.partition = PartitionId(0)};
  ASSERT_TRUE(ingestor_->Control(std::span(&idle, 1), {}, {}));
  const StreamIngestor::Placement beside{.watermark_limit = kMicrosMin, .rests = true};
  ASSERT_TRUE(ingestor_->Commit(Decode(R"({"n":2,"at":"2026-01-01T09:00:00Z"})"), beside, {}, {}));
  EXPECT_EQ(transport_->Describe(ingestor_->stream(), PartitionId(0)).max_event_time, kNow);
  const auto frames = Frames("clicks", 0);
  EXPECT_EQ(frames.back().type, FrameType::kControl);
  EXPECT_EQ(Controls(0).back(), ControlFrame::Kind::kIdle) << "it is idle again";
  EXPECT_THAT(Numbers("clicks", 1)[0], ElementsAre(1, 2));
}

TEST_F(StreamIngestorTest, CommitsErrorsWithoutAnyGoodRecord) {
  Open();
  const auto decoded = Decode("nonsense\n");
  EXPECT_EQ(decoded.rows, nullptr);
  ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  EXPECT_EQ(Frames("errors$clicks", 0).size(), 1U);
}

TEST_F(StreamIngestorTest, AddsToTheSameEpochWhatItsCallerWants) {
  Open();
  std::vector<PartitionId> partitions;
  transport_->Script({CommitOutcome::kAborted});
  const auto extend = [&](EpochWriter& writer, const std::vector<PartitionId>& used) {
    partitions = used;
    writer.SetSourcePosition("files", "a.json", "17");
  };
  CommitOutcome outcome = CommitOutcome::kUnknown;
  const auto note = [&](const CommitResult& result) { outcome = result.outcome; };
  ASSERT_TRUE(ingestor_->Commit(Decode("{\"n\":1}\n"), {}, extend, note));
  EXPECT_EQ(outcome, CommitOutcome::kAborted);
  EXPECT_TRUE(transport_->ReadSourcePositions("files").empty());
  ASSERT_TRUE(ingestor_->Commit(Decode("{\"n\":1}\n"), {}, extend, note));
  EXPECT_EQ(outcome, CommitOutcome::kCommitted);
  EXPECT_EQ(partitions.size(), 1U);
  EXPECT_EQ(transport_->ReadSourcePositions("files").at("a.json"), "17");
}

TEST_F(StreamIngestorTest, RefusesRecordsWhileTheDiskIsFull) {
  Open();
  transport_->SetDiskFull(true);
  const auto refused = Post("{\"n\":1}\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kDiskFull);
  clock_.Advance(std::chrono::seconds(31));
  ingestor_->Tick();
  transport_->SetDiskFull(false);
  ASSERT_TRUE(Post("{\"n\":1}\n"));
}

/// seen (n bigint, at timestamptz generated as proctime()), one partition.
TableDefinition Seen() {
  TableDefinition table = Clicks();
  table.partitions = 1;
  table.proctime = 1;
  table.generated = {{.column = 1, .expression = nullptr}};
  table.watermark_delay = kMicrosPerSecond;
  return table;
}

class ProctimeTest : public StreamIngestorTest {
 protected:
  /// Seconds after kNow of all records.
  std::vector<int64_t> Seconds() {
    std::vector<int64_t> seconds;
    for (const StreamFrame& frame : Frames("clicks", 0)) {
      if (frame.type == FrameType::kData) {
        for (const Micros time : frame.batch->column(1).Values<Micros>()) {
          seconds.push_back((time - kNow) / kMicrosPerSecond);
        }
      }
    }
    return seconds;
  }

  int64_t WatermarkSecond() {
    const PartitionInfo info = transport_->Describe(ingestor_->stream(), PartitionId(0));
    return (info.max_event_time - kNow) / kMicrosPerSecond - 1;
  }
};

TEST_F(ProctimeTest, IsWhenARecordIsCommitted) {
  Open(Seen());
  const auto early = Decode("{\"n\":1}\n{\"n\":2}\n");
  clock_.Advance(std::chrono::seconds(10));
  ASSERT_TRUE(ingestor_->Commit(early, {}, {}, {}));
  clock_.SetWall(kNow);
  ASSERT_TRUE(Post("{\"n\":3}\n"));
  EXPECT_THAT(Seconds(), ElementsAre(10, 10, 10)) << "it never goes back";
  Open(Seen());
  ASSERT_TRUE(Post("{\"n\":4}\n"));
  EXPECT_EQ(Seconds().back(), 10) << "not after a restart either";
}

TEST_F(ProctimeTest, IsTakenAgainWhenTheLogHasMovedOn) {
  Open(Seen());
  bool is_first = true;
  const auto extend = [&](EpochWriter&, const std::vector<PartitionId>&) {
    if (std::exchange(is_first, false)) {  // While it is encoded.
      clock_.Advance(std::chrono::seconds(5));
      ASSERT_TRUE(Post("{\"n\":2}\n"));
    }
  };
  ASSERT_TRUE(ingestor_->Commit(Decode("{\"n\":1}\n"), {}, extend, {}));
  EXPECT_THAT(Seconds(), ElementsAre(5, 5));
}

TEST_F(ProctimeTest, MovesTheWatermarkWhenNothingComes) {
  Open(Seen());
  ASSERT_TRUE(Post("{\"n\":1}\n"));
  std::vector<int64_t> watermarks;
  for (int second = 0; second < 100; ++second) {
    clock_.Advance(std::chrono::seconds(1));
    ingestor_->Tick();
    if (watermarks.empty() || watermarks.back() != WatermarkSecond()) {
      watermarks.push_back(WatermarkSecond());
    }
  }
  EXPECT_THAT(watermarks, ElementsAre(0, 1, 3, 7, 15, 31, 63)) << "ever more seldom";
  ASSERT_TRUE(Post("{\"n\":1}\n"));
  for (int second = 0; second < 2; ++second) {
    clock_.Advance(std::chrono::seconds(1));
    ingestor_->Tick();
  }
  EXPECT_EQ(WatermarkSecond(), 101);
}

TEST_F(StreamIngestorTest, DoesNotLetAbsurdTimesMoveTheWatermark) {
  Open();
  ASSERT_TRUE(Post(R"({"n":1,"at":"2026-01-01T00:00:00Z"})"
                   "\n"
                   R"({"n":1,"at":"9999-01-01T00:00:00Z"})"
                   "\n"));
  Micros largest = kMicrosMin;
  for (uint32_t p = 0; p < 3; ++p) {
    largest =
        std::max(largest, transport_->Describe(ingestor_->stream(), PartitionId(p)).max_event_time);
  }
  EXPECT_EQ(largest, kNow);
}

TEST_F(StreamIngestorTest, SaysOnceThatAPartitionIsIdleAndAgainThatItIsNot) {
  TableDefinition table = Clicks();
  table.partitions = 1;
  Open(table);
  const std::string_view click = R"({"n":1,"at":"2026-01-01T00:00:00Z"})";
  ASSERT_TRUE(Post(click));
  clock_.Advance(std::chrono::seconds(31));
  ingestor_->Tick();
  ingestor_->Tick();
  EXPECT_EQ(Controls(0).back(), ControlFrame::Kind::kIdle);
  const size_t count = Controls(0).size();
  Open(table);  // A restart knows it still.
  clock_.Advance(std::chrono::seconds(31));
  ingestor_->Tick();
  EXPECT_EQ(Controls(0).size(), count);
  ASSERT_TRUE(Post(click));
  EXPECT_EQ(Controls(0).back(), ControlFrame::Kind::kActive);
  EXPECT_EQ(Controls(0).size(), count + 1);
}

TEST_F(StreamIngestorTest, SaysOnceThatATableWithoutAnyRecordIsIdle) {
  // Also where a source decides about its partitions: it may have nothing to read, for ever.
  for (const bool by_timeout : {true, false}) {
    transport_ = MemoryTransport::Immediate();
    StreamIngestor::Options options;
    options.idle_by_timeout = by_timeout;
    Open(Clicks(), options);
    clock_.Advance(std::chrono::seconds(29));
    ingestor_->Tick();
    EXPECT_TRUE(Frames("clicks", 0).empty());
    clock_.Advance(std::chrono::seconds(1));
    ingestor_->Tick();
    ingestor_->Tick();
    EXPECT_THAT(Controls(0), ElementsAre(ControlFrame::Kind::kIdle));
    EXPECT_TRUE(Frames("clicks", 1).empty());
    Open(Clicks(), options);  // A restart knows it still.
    clock_.Advance(std::chrono::seconds(31));
    ingestor_->Tick();
    EXPECT_THAT(Controls(0), ElementsAre(ControlFrame::Kind::kIdle));
  }
}

TEST_F(StreamIngestorTest, SaysAgainThatATableIsIdleWhenTheCommitWasAborted) {
  Open();
  clock_.Advance(std::chrono::seconds(31));
  transport_->Script({CommitOutcome::kAborted});
  ingestor_->Tick();
  EXPECT_TRUE(Frames("clicks", 0).empty());
  ingestor_->Tick();  // Hears of it, and counts anew.
  clock_.Advance(std::chrono::seconds(31));
  ingestor_->Tick();
  EXPECT_THAT(Controls(0), ElementsAre(ControlFrame::Kind::kIdle));
}

TEST_F(StreamIngestorTest, SaysThatAPartitionIsActiveAlsoAfterAnAbort) {
  TableDefinition table = Clicks();
  table.partitions = 1;
  Open(table);
  const auto decoded = Decode(R"({"n":1,"at":"2026-01-01T00:00:00Z"})");
  transport_->Script({CommitOutcome::kAborted});
  ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  EXPECT_TRUE(Frames("clicks", 0).empty());
  ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  EXPECT_THAT(Controls(0), ElementsAre(ControlFrame::Kind::kActive));
}

TEST_F(StreamIngestorTest, RefusesATableThatIsStoredWithAnotherDefinition) {
  Open();
  TableDefinition table = Clicks();
  table.schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kText)},
                             {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
  const auto opened = StreamIngestor::Open(table, *transport_, clock_, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kStreamExists);
}

}  // namespace
}  // namespace millrace
