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
    const auto id = transport_->CreateStream(
        {.name = "t", .partitions = 2, .schema = table_.schema, .properties = {}});
    ASSERT_TRUE(id);
    stream_ = *id;
  }

  void Append(uint32_t partition, size_t rows) {
    ColumnBuilder numbers(DataType::Of(TypeId::kInt64));
    for (size_t i = 0; i < rows; ++i) {
      numbers.AppendFixed(static_cast<int64_t>(i));
    }
    auto epoch = transport_->BeginEpoch();
    epoch->Append(stream_, PartitionId(partition),
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
    Retention retention(*transport_, clock_);
    retention.Add(table_, project, {});
    EXPECT_TRUE(retention.Step());
    return Begin(partition);
  }

  TableDefinition table_;
  StreamId stream_;
  ManualClock clock_{1'767'225'600'000'000};
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
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
  ProjectDefinition project;
  ViewDefinition view;
  view.name = "v";
  view.inputs = {"t"};
  project.views = {view};
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

}  // namespace
}  // namespace millrace
