#include "millrace/connect/generate/generator_source.h"

#include <array>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/data/column_builder.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/functions.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using State = SourceStatus::State;

constexpr Micros kStart = 1'767'225'600'000'000;  // 2026-01-01

/// (n, at): row n happens n seconds after the table began.
class Counting final : public RowGenerator {
 public:
  Counting(SchemaPtr schema, Micros start) : schema_(std::move(schema)), start_(start) {}

  BatchPtr Make(uint64_t first, size_t count) override {
    ColumnBuilder numbers(schema_->field(0).type);
    ColumnBuilder times(schema_->field(1).type);
    for (uint64_t row = first; row < first + count; ++row) {
      numbers.AppendFixed(static_cast<int64_t>(row));
      times.AppendFixed(EarliestFrom(row));
    }
    return Batch::Make(schema_, {numbers.Finish(), times.Finish()}, count);
  }

  Micros EarliestFrom(uint64_t first) const override {
    return start_ + static_cast<Micros>(first) * kMicrosPerSecond;
  }

 private:
  const SchemaPtr schema_;
  const Micros start_;
};

class GeneratorSourceTest : public ::testing::Test {
 protected:
  GeneratorSourceTest() {
    table_.name = "t";
    table_.schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64)},
                                {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
    table_.event_time = 1;
    table_.partitions = 2;
    ingest_options_.idle_by_timeout = false;
    ingest_options_.watermark_ahead_max = std::chrono::hours(24 * 365);
    clock_.SetWall(kStart);
  }

  Result<std::unique_ptr<GeneratorSource>> Open() {
    source_.reset();
    auto ingestor = StreamIngestor::Open(table_, *transport_, clock_, ingest_options_);
    EXPECT_TRUE(ingestor) << ingestor.error().ToString();
    ingestor_ = *std::move(ingestor);
    return GeneratorSource::Open(
        {.connector = "counting",
         .rows = rows_,
         .rate = rate_,
         .make = [schema = ingestor_->declared_schema()](
                     Micros start) { return std::make_unique<Counting>(schema, start); }},
        {.ingestor = *ingestor_,
         .transport = *transport_,
         .files = files_,
         .clock = clock_,
         .project_dir = "",
         .wake = [] {}},
        limits_);
  }

  void Start() {
    auto source = Open();
    ASSERT_TRUE(source) << source.error().ToString();
    source_ = *std::move(source);
  }

  void Crash() {
    source_.reset();
    ingestor_.reset();
    transport_->Restart();
  }

  /// Steps until the source wants to wait; returns for how long.
  std::chrono::nanoseconds Run() {
    for (int i = 0; i < 100'000; ++i) {
      const auto next = source_->Step();
      EXPECT_TRUE(next) << next.error().ToString();
      if (!next || next->count() > 0) {
        return next.value_or(Source::kUntilWoken);
      }
    }
    ADD_FAILURE() << "the source does not come to rest";
    return Source::kUntilWoken;
  }

  std::vector<StreamFrame> Frames(const std::string& stream, uint32_t partition) {
    const auto info = transport_->FindStream(stream);
    const auto cursor =
        transport_->OpenCursor(info->id, PartitionId(partition), Offset(0), Visibility::kDurable);
    auto frames = cursor->Poll(SIZE_MAX);
    EXPECT_TRUE(frames);
    return frames.value_or(std::vector<StreamFrame>());
  }

  std::vector<int64_t> Rows(uint32_t partition) {
    std::vector<int64_t> rows;
    for (const StreamFrame& frame : Frames("t", partition)) {
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        rows.push_back(frame.batch->column(0).Values<int64_t>()[row]);
      }
    }
    return rows;
  }

  std::vector<std::string> Controls(uint32_t partition) {
    std::vector<std::string> names;
    for (const StreamFrame& frame : Frames("t", partition)) {
      if (frame.type == FrameType::kControl) {
        constexpr std::array kNames = {"", "idle", "active", "watermark", "end"};
        const auto control = ControlFrame::Decode(frame.payload->bytes());
        names.emplace_back(kNames[static_cast<size_t>(control->kind)]);
      }
    }
    return names;
  }

  TableDefinition table_;
  std::optional<uint64_t> rows_;
  uint64_t rate_ = 0;
  GeneratorSource::Limits limits_{.block_rows_max = 4};
  StreamIngestor::Options ingest_options_;
  SimulatedFileSystem files_{1};
  ManualClock clock_;
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
  std::unique_ptr<GeneratorSource> source_;
};

TEST_F(GeneratorSourceTest, EndsABoundedInputOnce) {
  rows_ = 10;
  Start();
  EXPECT_EQ(Run(), Source::kUntilWoken);
  EXPECT_THAT(Rows(0), ElementsAre(0, 1, 2, 3, 8, 9));
  EXPECT_THAT(Rows(1), ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(Controls(0), ElementsAre("active", "end"));
  EXPECT_THAT(Controls(1), ElementsAre("active", "end"));
  EXPECT_EQ(source_->status().state, State::kEnded);
  EXPECT_EQ(source_->status().records, 10);
  Start();
  Run();
  EXPECT_EQ(source_->status().state, State::kEnded);
  EXPECT_THAT(Controls(0), ElementsAre("active", "end"));
  rows_ = 11;
  EXPECT_EQ(Open().error().code(), ErrorCode::kSourceChanged);
  rows_.reset();
  EXPECT_EQ(Open().error().code(), ErrorCode::kSourceChanged);
}

TEST_F(GeneratorSourceTest, MakesEachRowOnceHoweverOftenItCrashes) {
  rows_ = 100;
  int crashes = 0;
  for (Start(); source_->status().state != State::kEnded; Start()) {
    clock_.SetWall(kStart + ++crashes * kMicrosPerDay);
    for (int i = 0; i < crashes % 4; ++i) {
      ASSERT_TRUE(source_->Step());
    }
    Crash();
  }
  EXPECT_GT(crashes, 10);
  std::vector<int64_t> rows = Rows(0);
  EXPECT_TRUE(std::ranges::is_sorted(rows));
  std::ranges::copy(Rows(1), std::back_inserter(rows));
  std::ranges::sort(rows);
  std::vector<int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(rows, expected);
}

TEST_F(GeneratorSourceTest, KeepsWhenItBeganOverRestarts) {
  rows_ = 8;
  Start();
  ASSERT_TRUE(source_->Step());
  Crash();
  clock_.SetWall(kStart + kMicrosPerDay);
  Start();
  Run();
  EXPECT_EQ(Frames("t", 1).back().max_event_time_before, kStart + 7 * kMicrosPerSecond);
}

TEST_F(GeneratorSourceTest, MakesAgainWhatWasAborted) {
  transport_->SetProbabilities(7, {.aborted = 0.3});
  rows_ = 200;
  Start();
  Run();
  EXPECT_EQ(source_->status().state, State::kEnded);
  EXPECT_EQ(Rows(0).size() + Rows(1).size(), 200U);
  EXPECT_TRUE(std::ranges::is_sorted(Rows(0)));
}

TEST_F(GeneratorSourceTest, FailsWhenTheTransportHasFailed) {
  rows_ = 200;
  Start();
  ASSERT_TRUE(source_->Step());
  transport_->Script({CommitOutcome::kUnknown});
  ASSERT_TRUE(source_->Step());
  const auto next = source_->Step();
  ASSERT_FALSE(next);
  EXPECT_THAT(next.error().ToString(), HasSubstr("table t"));
}

TEST_F(GeneratorSourceTest, WaitsWhileTheDiskIsFull) {
  rows_ = 8;
  Start();
  transport_->SetDiskFull(true);
  EXPECT_EQ(Run(), seconds(1));
  transport_->SetDiskFull(false);
  EXPECT_EQ(Run(), Source::kUntilWoken);
  EXPECT_EQ(Rows(0).size() + Rows(1).size(), 8U);
}

TEST_F(GeneratorSourceTest, KeepsToItsRate) {
  rate_ = 200;  // Blocks of two.
  Start();
  EXPECT_EQ(Run(), milliseconds(5));
  EXPECT_EQ(source_->status().state, State::kWaiting);
  clock_.Advance(milliseconds(5));
  EXPECT_EQ(Run(), milliseconds(10));
  EXPECT_THAT(Rows(0), ElementsAre(0, 1));
  clock_.Advance(milliseconds(1000));
  Run();
  EXPECT_EQ(Rows(0).size() + Rows(1).size(), 202U);
  Crash();
  Start();
  EXPECT_EQ(Run(), milliseconds(5));  // What was not made meanwhile is not made up for.
  rate_ = 1;
  Crash();
  Start();
  EXPECT_EQ(Run(), seconds(1));  // The first is due at once.
  EXPECT_EQ(Rows(0).size() + Rows(1).size(), 203U);
}

TEST_F(GeneratorSourceTest, RaisesPartitionsThatGetNoRow) {
  table_.partition_by = {0};
  table_.partitions = 8;
  limits_.block_rows_max = 2;
  Start();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(source_->Step());
    clock_.Advance(milliseconds(200));
  }
  size_t rows = 0;
  for (uint32_t p = 0; p < 8; ++p) {
    EXPECT_THAT(Controls(p), testing::Contains("watermark")) << p;
    EXPECT_EQ(Frames("t", p).back().type, FrameType::kControl);
    rows += Rows(p).size();
  }
  EXPECT_EQ(rows, 8U);
}

TEST_F(GeneratorSourceTest, MakesErrorRowsOfRowsWhoseGeneratedColumnFails) {
  const DataType bigint = DataType::Of(TypeId::kInt64);
  const ScalarFunction& divide = GetFunction("/", std::array{TypeId::kInt64, TypeId::kInt64});
  std::vector<Field> fields = table_.schema->fields();
  fields.push_back({.name = "share", .type = bigint});
  table_.schema = MakeSchema(std::move(fields));
  table_.generated = {{.column = 2,
                       .expression = MakeCall(divide, {MakeLiteral(Value(int64_t{100}), bigint),
                                                       MakeColumn(0, bigint, true)})}};
  rows_ = 3;
  Start();
  Run();
  EXPECT_THAT(Rows(0), ElementsAre(1, 2));
  const auto errors = Frames("errors$t", 0);
  ASSERT_EQ(errors.size(), 1U);
  const Batch& batch = *errors[0].batch;
  EXPECT_THAT(std::string(batch.column(2).Text(0)), HasSubstr("division by zero (row 0)"));
  EXPECT_EQ(batch.column(7).Text(0), R"({"n":0,"at":"2026-01-01T00:00:00Z"})");
}

}  // namespace
}  // namespace millrace
