#include "millrace/stream/direct/direct_stream.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/column_builder.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;

constexpr uint32_t kPartitions = 3;
constexpr uint32_t kSplits = 6;
constexpr int64_t kNumbers = 40;  // Of each split.
constexpr std::string_view kReader = "view:v";
constexpr std::string_view kSource = "file:files";

/// Every fifth number of a split is a record that the source refuses.
bool IsError(int64_t number) { return number % 5 == 0; }

SchemaPtr NumberSchema() {
  return MakeSchema({{.name = "split", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                     {.name = "number", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
}

BatchPtr Rows(int64_t split, const std::vector<int64_t>& numbers) {
  ColumnBuilder splits(DataType::Of(TypeId::kInt64));
  ColumnBuilder values(DataType::Of(TypeId::kInt64));
  for (const int64_t number : numbers) {
    splits.AppendFixed(split);
    values.AppendFixed(number);
  }
  return Batch::Make(NumberSchema(), {splits.Finish(), values.Finish()}, numbers.size());
}

/// A source of six splits over three partitions, and a pipeline that copies what it reads.
class DirectStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"files", "errors", "out"}) {
      ASSERT_TRUE(transport_->CreateStream({.name = name,
                                            .partitions = name == "files" ? kPartitions : 1,
                                            .schema = NumberSchema(),
                                            .properties = {}}));
    }
    files_ = transport_->FindStream("files")->id;
    errors_ = transport_->FindStream("errors")->id;
    out_ = transport_->FindStream("out")->id;
    Open();
  }

  void Open() {
    auto direct =
        DirectStream::Open(*transport_, *transport_->FindStream("files"), std::string(kReader));
    ASSERT_TRUE(direct) << direct.error().ToString();
    direct_ = *std::move(direct);
    reader_ = direct_->reader_side(*transport_);
    next_.fill(1);
    for (const auto& [split, position] : transport_->ReadSourcePositions(kSource)) {
      next_[std::stoul(split)] = std::stoll(position);
    }
    source_in_flight_ = 0;
    cursors_.clear();
    for (uint32_t p = 0; p < kPartitions; ++p) {
      const auto positions = transport_->ReaderPositions(kReader);
      const auto found = positions.find({files_, PartitionId(p)});
      const Offset from = found == positions.end() ? Offset(0) : found->second;
      durable_[p] = from;
      cursors_.push_back(reader_->OpenCursor(files_, PartitionId(p), from, Visibility::kAppended));
    }
    pipeline_in_flight_ = 0;
    is_aborted_ = false;
  }

  void Crash() {
    cursors_.clear();
    reader_.reset();
    direct_.reset();
    transport_->Restart();
    Open();
  }

  /// Commits the next block of a split: an error, or rows up to the next one, perhaps with it.
  void StepSource(uint32_t split, size_t rows_max, bool with_error) {
    int64_t number = next_[split];
    if (number > kNumbers || source_in_flight_ >= 8) {
      return;
    }
    std::vector<int64_t> rows;
    while (number <= kNumbers && !IsError(number) && rows.size() < rows_max) {
      rows.push_back(number++);
    }
    auto epoch = direct_->source_side().BeginEpoch();
    if (!rows.empty()) {
      epoch->Append(files_, PartitionId(split % kPartitions), Rows(split, rows), {.max = number});
    }
    if (number <= kNumbers && IsError(number) && (rows.empty() || with_error)) {
      epoch->Append(errors_, PartitionId(0), Rows(split, {number++}), {});
    }
    next_[split] = number;
    epoch->SetSourcePosition(kSource, fmt::format("{}", split), fmt::format("{}", number));
    Commit(*epoch);
  }

  void RaiseWatermarks(Micros time) {
    auto epoch = direct_->source_side().BeginEpoch();
    for (uint32_t p = 0; p < kPartitions; ++p) {
      epoch->PrependControl(files_, PartitionId(p),
                            {.kind = ControlFrame::Kind::kWatermark, .time = time}, time);
    }
    Commit(*epoch);
  }

  void Commit(EpochWriter& epoch) {
    ++source_in_flight_;
    epoch.CommitAsync([this](const CommitResult& result) {
      EXPECT_EQ(result.outcome, expected_);
      --source_in_flight_;
    });
  }

  /// Reads about `bytes` of some partitions, and commits what it has read.
  void StepPipeline(unsigned partitions, size_t bytes) {
    if (is_aborted_ && pipeline_in_flight_ == 0) {
      for (uint32_t p = 0; p < kPartitions; ++p) {
        cursors_[p]->Seek(durable_[p]);
      }
      is_aborted_ = false;
    }
    if (is_aborted_ || pipeline_in_flight_ >= 2) {
      return;
    }
    auto epoch = reader_->BeginEpoch();
    std::array<Offset, kPartitions> ends = {};
    bool any = false;
    for (uint32_t p = 0; p < kPartitions; ++p) {
      if ((partitions >> p & 1U) != 0) {
        const std::vector<StreamFrame> frames = *cursors_[p]->Poll(bytes);
        for (const StreamFrame& frame : frames) {
          if (frame.type == FrameType::kData) {
            epoch->Append(out_, PartitionId(0), frame.batch, {});
          }
        }
        if (!frames.empty()) {
          epoch->SetPosition(kReader, files_, PartitionId(p), cursors_[p]->position());
          any = true;
        }
      }
      ends[p] = cursors_[p]->position();
    }
    if (!any) {
      return;
    }
    ++pipeline_in_flight_;
    epoch->CommitAsync([this, ends](const CommitResult& result) {
      --pipeline_in_flight_;
      if (result.outcome == CommitOutcome::kCommitted) {
        durable_ = ends;
      } else {
        is_aborted_ = true;
      }
    });
  }

  /// The numbers of each split in a stream, in its order.
  std::map<int64_t, std::vector<int64_t>> Numbers(StreamId stream) {
    std::map<int64_t, std::vector<int64_t>> numbers;
    const auto cursor =
        transport_->OpenCursor(stream, PartitionId(0), Offset(0), Visibility::kDurable);
    const std::vector<StreamFrame> frames = *cursor->Poll(SIZE_MAX);
    for (const StreamFrame& frame : frames) {
      for (size_t row = 0; row < frame.count; ++row) {
        numbers[frame.batch->column(0).Values<int64_t>()[row]].push_back(
            frame.batch->column(1).Values<int64_t>()[row]);
      }
    }
    return numbers;
  }

  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Delayed();
  StreamId files_;
  StreamId errors_;
  StreamId out_;
  std::unique_ptr<DirectStream> direct_;
  std::unique_ptr<Transport> reader_;
  std::array<int64_t, kSplits> next_ = {};
  int source_in_flight_ = 0;
  CommitOutcome expected_ = CommitOutcome::kCommitted;  // Of the source's epochs.
  std::vector<std::unique_ptr<Cursor>> cursors_;
  std::array<Offset, kPartitions> durable_ = {};
  int pipeline_in_flight_ = 0;
  bool is_aborted_ = false;
};

constexpr unsigned kAll = (1U << kPartitions) - 1;

TEST_F(DirectStreamTest, CommitsWithThePipelineAndStoresNothing) {
  StepSource(0, 3, false);
  StepSource(1, 3, true);
  EXPECT_EQ(transport_->Decide(), 0U) << "nobody has taken it";
  EXPECT_EQ(source_in_flight_, 2);
  StepPipeline(0b010, SIZE_MAX);
  transport_->Decide();
  EXPECT_EQ(source_in_flight_, 1);
  EXPECT_THAT(transport_->ReadSourcePositions(kSource),
              ElementsAre(std::pair<const std::string, std::string>("1", "4")));
  StepPipeline(kAll, SIZE_MAX);
  transport_->Decide();
  EXPECT_EQ(source_in_flight_, 0);
  EXPECT_THAT(Numbers(out_)[0], ElementsAre(1, 2, 3));
  EXPECT_EQ(transport_->Describe(files_, PartitionId(0)).appended_end, Offset(0));
  EXPECT_EQ(reader_->Describe(files_, PartitionId(0)).begin, Offset(3)) << "memory is given back";
}

TEST_F(DirectStreamTest, GoesOnBehindWhatWasTaken) {
  RaiseWatermarks(100);
  StepSource(0, 4, false);
  StepPipeline(kAll, SIZE_MAX);
  transport_->Decide();
  const PartitionInfo before = reader_->Describe(files_, PartitionId(0));
  StepSource(0, 4, true);
  Crash();
  const PartitionInfo after = reader_->Describe(files_, PartitionId(0));
  EXPECT_EQ(after.appended_end, before.appended_end);
  EXPECT_EQ(after.max_event_time, before.max_event_time);
  EXPECT_EQ(next_[0], 5) << "what was not taken is read again";
  const auto cursor =
      direct_->source_side().OpenCursor(files_, PartitionId(1), Offset(0), Visibility::kDurable);
  const auto frames = *cursor->Poll(1);
  EXPECT_EQ(ControlFrame::Decode(frames[0].payload->bytes())->time, 100) << "its last frame";
}

TEST_F(DirectStreamTest, AnIdlePartitionStaysIdle) {
  const auto last_frame = [&] {
    const PartitionInfo info = reader_->Describe(files_, PartitionId(0));
    const auto cursor = reader_->OpenCursor(
        files_, PartitionId(0), Offset(info.appended_end.value() - 1), Visibility::kAppended);
    return ControlFrame::Decode(cursor->Poll(1)->front().payload->bytes())->kind;
  };
  auto epoch = direct_->source_side().BeginEpoch();
  epoch->PrependControl(files_, PartitionId(0), {.kind = ControlFrame::Kind::kIdle}, kMicrosMin);
  Commit(*epoch);
  next_[1] = kNumbers;
  StepSource(1, 1, true);
  EXPECT_EQ(last_frame(), ControlFrame::Kind::kIdle) << "an error alone is no row of partition 0";
  StepPipeline(kAll, SIZE_MAX);
  transport_->Decide();
  EXPECT_EQ(source_in_flight_, 0);
  Crash();
  next_[1] = kNumbers;
  StepSource(1, 1, true);
  EXPECT_EQ(last_frame(), ControlFrame::Kind::kIdle);
}

TEST_F(DirectStreamTest, LetsTheSourceGo) {
  StepSource(0, 4, false);
  StepPipeline(kAll, SIZE_MAX);
  StepSource(1, 4, false);
  expected_ = CommitOutcome::kAborted;
  direct_->Close();
  EXPECT_EQ(source_in_flight_, 0);
  StepSource(2, 4, false);
  EXPECT_EQ(source_in_flight_, 0);
  EXPECT_EQ(transport_->Decide(), 1U);
  EXPECT_THAT(Numbers(out_)[0], ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(transport_->ReadSourcePositions(kSource).at("0"), "5");
}

TEST_F(DirectStreamTest, TakesEachRecordOnceWhateverHappens) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    transport_ = MemoryTransport::Delayed();
    cursors_.clear();
    reader_.reset();
    direct_.reset();
    SetUp();
    Rng rng(seed);
    transport_->SetProbabilities(seed, {.aborted = 0.1});
    for (int step = 0; step < 600; ++step) {
      const bool calm = step > 500;
      if (calm && step == 501) {
        transport_->SetProbabilities(seed, {});
      }
      StepSource(static_cast<uint32_t>(rng.Below(kSplits)), 1 + rng.Below(3), rng.Below(2) == 0);
      if (rng.Below(8) == 0 && source_in_flight_ < 8) {
        RaiseWatermarks(step);
      }
      StepPipeline(calm ? kAll : static_cast<unsigned>(rng.Below(kAll + 1)),
                   rng.Below(2) == 0 ? 1 : SIZE_MAX);
      if (rng.Below(2) == 0 || calm) {
        transport_->Decide(calm ? SIZE_MAX : 1 + rng.Below(2));
      }
      if (!calm && rng.Below(40) == 0) {
        Crash();
      }
    }
    for (int step = 0; step < 200; ++step) {
      StepSource(static_cast<uint32_t>(step) % kSplits, 3, true);
      StepPipeline(kAll, SIZE_MAX);
      transport_->Decide();
    }
    auto rows = Numbers(out_);
    auto errors = Numbers(errors_);
    for (uint32_t split = 0; split < kSplits; ++split) {
      std::vector<int64_t> expected_rows;
      std::vector<int64_t> expected_errors;
      for (int64_t number = 1; number <= kNumbers; ++number) {
        (IsError(number) ? expected_errors : expected_rows).push_back(number);
      }
      EXPECT_EQ(rows[split], expected_rows) << "split " << split;
      EXPECT_EQ(errors[split], expected_errors) << "split " << split;
    }
  }
}

}  // namespace
}  // namespace millrace
