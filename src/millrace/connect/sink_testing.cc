#include "millrace/connect/sink_testing.h"

#include "millrace/data/column_builder.h"

namespace millrace {

SinkTest::SinkTest() {
  stream_.definition = {.name = "t",
                        .partitions = 2,
                        .schema = MakeSchema({{.name = "k", .type = DataType::Of(TypeId::kText)},
                                              {.name = "n", .type = DataType::Of(TypeId::kInt64)}}),
                        .properties = {}};
  const auto id = transport_->CreateStream(stream_.definition);
  EXPECT_TRUE(id);
  stream_.id = *id;
}

void SinkTest::Append(uint32_t partition, const std::vector<std::string>& keys, int64_t first,
                      int32_t weight) {
  const Schema& schema = *stream_.definition.schema;
  ColumnBuilder texts(schema.field(0).type);
  ColumnBuilder numbers(schema.field(1).type);
  for (const std::string& key : keys) {
    texts.AppendText(key);
    numbers.AppendFixed(first++);
  }
  Batch::RowExtras extras;
  if (weight != 1) {
    extras.weights = Buffer::Own(std::vector<int32_t>(keys.size(), weight));
  }
  auto writer = transport_->BeginEpoch();
  writer->Append(stream_.id, PartitionId(partition),
                 Batch::Make(stream_.definition.schema, {texts.Finish(), numbers.Finish()},
                             keys.size(), extras),
                 {});
  writer->CommitAsync(
      [](const CommitResult& result) { EXPECT_EQ(result.outcome, CommitOutcome::kCommitted); });
}

void SinkTest::AppendControl(uint32_t partition, ControlFrame::Kind kind) {
  auto writer = transport_->BeginEpoch();
  writer->PrependControl(stream_.id, PartitionId(partition), {.kind = kind}, kMicrosMin);
  writer->CommitAsync([](const CommitResult&) {});
}

void SinkTest::Start() {
  runner_.reset();
  runner_ = std::make_unique<SinkRunner>("t", stream_, make_, *transport_, clock_, options_,
                                         [this] { ++wakes_; });
}

std::chrono::nanoseconds SinkTest::Run() {
  for (int i = 0; i < 100'000; ++i) {
    const auto next = runner_->Step();
    EXPECT_TRUE(next) << next.error().ToString();
    if (!next || next->count() > 0) {
      return next.value_or(SteppedThread::kUntilWoken);
    }
  }
  ADD_FAILURE() << "the sink does not come to rest";
  return SteppedThread::kUntilWoken;
}

void SinkTest::Wait(std::chrono::nanoseconds time) {
  Run();
  const auto end = clock_.Monotonic() + time;
  while (clock_.Monotonic() < end) {
    clock_.Advance(std::chrono::milliseconds(500));
    Run();
  }
}

int64_t SinkTest::Committed(uint32_t partition) {
  const auto positions = transport_->ReaderPositions("sink:t");
  const auto found = positions.find({stream_.id, PartitionId(partition)});
  return found == positions.end() ? -1 : found->second.value();
}

}  // namespace millrace
