#include "millrace/app/retention.h"

#include <chrono>

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/engine/pipeline_streams.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using std::chrono::minutes;

constexpr Micros kMinute = 60 * kMicrosPerSecond;

class RetentionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    table_.name = "t";
    table_.schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64)}});
    table_.retention = 10 * kMinute;
    table_.partitions = 2;
    Open();
  }

  void Open() {
    auto opened = StreamIngestor::Open(table_, *transport_, clock_, {});
    ASSERT_TRUE(opened) << opened.error().ToString();
    ingestor_ = *std::move(opened);
    stream_ = ingestor_->stream();
  }

  void Append(uint32_t partition, size_t rows) { AppendTo(stream_, partition, rows); }

  void AppendTo(StreamId stream, uint32_t partition, size_t rows) {
    ColumnBuilder numbers(DataType::Of(TypeId::kInt64));
    for (size_t i = 0; i < rows; ++i) {
      numbers.AppendFixed(static_cast<int64_t>(i));
    }
    auto epoch = transport_->BeginEpoch();
    epoch->Append(stream, PartitionId(partition),
                  Batch::Make(table_.schema, {numbers.Finish()}, rows),
                  {.append_time = clock_.WallMicros()});
    epoch->CommitAsync({});
  }

  void AppendIdle(uint32_t partition) {
    auto epoch = transport_->BeginEpoch();
    epoch->PrependControl(stream_, PartitionId(partition), {.kind = ControlFrame::Kind::kIdle},
                          kMicrosMin);
    epoch->CommitAsync({});
  }

  void Read(std::string_view reader, uint32_t partition, int64_t next) {
    auto epoch = transport_->BeginEpoch();
    epoch->SetPosition(reader, stream_, PartitionId(partition), Offset(next));
    epoch->CommitAsync({});
  }

  int64_t Begin(uint32_t partition) {
    return transport_->Describe(stream_, PartitionId(partition)).begin.value();
  }

  int64_t BeginAfterStep(const ProjectDefinition& project, uint32_t partition = 0) {
    Retention retention(*transport_, clock_, nullptr);
    retention.AddTable(*ingestor_, project, {});
    EXPECT_TRUE(retention.Step());
    return Begin(partition);
  }

  size_t StoredBytes(uint32_t partition) {
    return transport_->Describe(stream_, PartitionId(partition)).stored_bytes;
  }

  /// A stream of a view, in place of what its pipeline makes.
  StreamId MakeStream(const std::string& name) {
    const auto made =
        transport_->CreateStream({.name = name, .partitions = 1, .schema = table_.schema});
    EXPECT_TRUE(made) << made.error().ToString();
    return *made;
  }

  int64_t BeginOf(StreamId stream) {
    return transport_->Describe(stream, PartitionId(0)).begin.value();
  }

  static ProjectDefinition ReadByView() {
    ProjectDefinition project;
    ViewDefinition view;
    view.name = "v";
    view.inputs = {"t"};
    project.views = {view};
    return project;
  }

  TableDefinition table_;
  StreamId stream_;
  ManualClock clock_{1'767'225'600'000'000};
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
};

TEST_F(RetentionTest, GivesUpWhatIsOlderAndKeepsTheLastFrame) {
  for (int minute = 0; minute < 30; ++minute) {
    Append(0, 3);
    clock_.Advance(minutes(1));
  }
  Append(1, 5);
  // Of the frames of minutes 0 to 29, those before minute 20 are older than 10 minutes.
  EXPECT_EQ(BeginAfterStep({}), 20 * 3);
  EXPECT_EQ(Begin(1), 0);
  clock_.Advance(minutes(100));
  EXPECT_EQ(BeginAfterStep({}), 29 * 3) << "the last frame says where the partition is";
  EXPECT_EQ(Begin(1), 0);
  EXPECT_EQ(BeginAfterStep({}), 29 * 3);
}

TEST_F(RetentionTest, PassesOverControlFrames) {
  Append(0, 2);
  for (int i = 0; i < 20; ++i) {
    AppendIdle(0);
  }
  Append(0, 2);
  clock_.Advance(minutes(60));
  EXPECT_EQ(BeginAfterStep({}), 2) << "who knows how old they are";
  Append(0, 2);
  EXPECT_EQ(BeginAfterStep({}), 24);
}

TEST_F(RetentionTest, WaitsForWhatHasStillToBeRead) {
  ProjectDefinition project = ReadByView();
  SinkDefinition sink;
  sink.table.name = "s";
  sink.stream = "t";
  project.sinks = {sink};
  for (int i = 0; i < 10; ++i) {
    Append(0, 3);
  }
  clock_.Advance(minutes(60));
  EXPECT_EQ(BeginAfterStep(project), 0) << "nobody has read anything";
  Read(ReaderOfView("v"), 0, 20);
  EXPECT_EQ(BeginAfterStep(project), 0) << "the sink has not";
  Read("sink:s", 0, 13);
  EXPECT_EQ(BeginAfterStep(project), 12) << "whole frames";
  Read("sink:s", 0, 30);
  EXPECT_EQ(BeginAfterStep(project), 18);
}

TEST_F(RetentionTest, GivesUpWhatIsBeyondTheBytes) {
  Append(0, 100);
  const size_t frame = StoredBytes(0);
  for (int i = 1; i < 9; ++i) {
    Append(0, 100);
  }
  for (int i = 0; i < 3; ++i) {
    Append(1, 100);
  }
  table_.retention.reset();
  table_.retention_bytes = 8 * frame;  // Of 12.
  Open();
  EXPECT_EQ(BeginAfterStep({}), 300) << "three quarters of what is beyond it";
  EXPECT_EQ(Begin(1), 100);
  EXPECT_FALSE(ingestor_->is_full());
  EXPECT_EQ(BeginAfterStep({}), 300);
  table_.retention_bytes = 1;
  Open();
  EXPECT_EQ(BeginAfterStep({}), 800) << "the last frame says where the partition is";
  EXPECT_EQ(StoredBytes(0), frame);
  EXPECT_FALSE(ingestor_->is_full());
}

TEST_F(RetentionTest, ATableIsFullWhenItsReadersAreTooFarBehind) {
  Append(0, 100);
  const size_t frame = StoredBytes(0);
  Append(0, 100);
  Append(0, 100);
  table_.retention.reset();
  table_.retention_bytes = 2 * frame;
  Open();
  const ProjectDefinition project = ReadByView();
  EXPECT_EQ(BeginAfterStep(project), 0);
  EXPECT_TRUE(ingestor_->is_full());
  Read(ReaderOfView("v"), 0, 99);
  EXPECT_EQ(BeginAfterStep(project), 0) << "whole frames";
  EXPECT_TRUE(ingestor_->is_full());
  Read(ReaderOfView("v"), 0, 100);
  EXPECT_EQ(BeginAfterStep(project), 100);
  EXPECT_FALSE(ingestor_->is_full());
}

TEST_F(RetentionTest, ErrorRowsOfATableGoLikeItsRecords) {
  const StreamId errors = transport_->FindStream("errors$t")->id;
  const auto refuse = [&] {
    const auto decoded = ingestor_->Decode(PaddedBuffer(R"({"n":"x"})"), JsonFraming::kLines);
    ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, {}));
  };
  for (int minute = 0; minute < 30; ++minute) {
    refuse();
    clock_.Advance(minutes(1));
  }
  BeginAfterStep({});
  EXPECT_EQ(BeginOf(errors), 20);
  table_.retention.reset();
  table_.retention_bytes = 1;
  Open();
  BeginAfterStep(ReadByView());
  EXPECT_EQ(BeginOf(errors), 29) << "nobody has still to read them";
  EXPECT_FALSE(ingestor_->is_full());
}

TEST_F(RetentionTest, WhatViewsSayOfRecordsGoesWithTheTableThatKeepsThemLongest) {
  TableDefinition other = table_;
  other.name = "u";
  other.retention = 20 * kMinute;
  ProjectDefinition project = ReadByView();
  project.tables = {table_, other};
  ViewDefinition joined;
  joined.name = "w";
  joined.inputs = {"v", "u"};
  project.views.push_back(joined);
  const StreamId errors = MakeStream("errors$v");
  const StreamId late = MakeStream("late$w");
  for (int minute = 0; minute < 30; ++minute) {
    AppendTo(errors, 0, 1);
    AppendTo(late, 0, 1);
    clock_.Advance(minutes(1));
  }
  const auto step = [&] {
    Retention retention(*transport_, clock_, nullptr);
    for (const ViewDefinition& view : project.views) {
      retention.AddView(view, project);
    }
    EXPECT_TRUE(retention.Step());
  };
  project.tables[1].retention.reset();
  step();
  EXPECT_EQ(BeginOf(errors), 20);
  EXPECT_EQ(BeginOf(late), 0) << "u keeps its records for ever";
  project.tables[1].retention = other.retention;
  step();
  EXPECT_EQ(BeginOf(late), 10);
}

}  // namespace
}  // namespace millrace
