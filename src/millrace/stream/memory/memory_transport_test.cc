#include "millrace/stream/memory/memory_transport.h"

#include <gtest/gtest.h>

#include "millrace/stream/transport_conformance_testing.h"

namespace millrace {
namespace {

struct ImmediateMaker {
  std::unique_ptr<Transport> Make() { return MemoryTransport::Immediate(); }
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, TransportConformanceTest, ImmediateMaker);

namespace {

class MemoryTransportTest : public ::testing::Test {
 protected:
  MemoryTransportTest() {
    stream_ = *transport_->CreateStream(
        {.name = "clicks", .partitions = 1, .schema = nullptr, .properties = {}});
  }

  /// Submits an epoch of one frame; its outcome goes into `outcomes_` when it is decided.
  void Submit() {
    auto epoch = transport_->BeginEpoch();
    epoch->AppendOpaque(stream_, PartitionId(0), FrameType::kState, Bytes(1));
    epoch->CommitAsync([this](const CommitResult& result) {
      EXPECT_EQ(result.error.has_value(), result.outcome != CommitOutcome::kCommitted);
      EXPECT_EQ(result.ranges.size(), result.outcome == CommitOutcome::kCommitted ? 1U : 0U);
      outcomes_.push_back(result.outcome);
    });
  }

  int64_t appended_end() {
    return transport_->Describe(stream_, PartitionId(0)).appended_end.value();
  }
  int64_t durable_end() {
    return transport_->Describe(stream_, PartitionId(0)).durable_end.value();
  }

  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Delayed();
  StreamId stream_;
  std::vector<CommitOutcome> outcomes_;
};

using enum CommitOutcome;

TEST_F(MemoryTransportTest, DecidesWhenTold) {
  Submit();
  Submit();
  Submit();
  EXPECT_EQ(appended_end(), 3);
  EXPECT_EQ(durable_end(), 0);
  EXPECT_EQ(transport_->undecided_count(), 3U);
  EXPECT_EQ(transport_->Decide(2), 2U);
  EXPECT_EQ(outcomes_.size(), 2U);
  EXPECT_EQ(durable_end(), 2);
  EXPECT_EQ(transport_->Decide(), 1U);
  EXPECT_EQ(durable_end(), 3);
}

TEST_F(MemoryTransportTest, AbortTakesWithItWhatBuildsOnIt) {
  transport_->Script({kCommitted, kAborted});
  Submit();
  Submit();
  Submit();
  EXPECT_EQ(appended_end(), 1);
  transport_->Decide();
  EXPECT_EQ(outcomes_, (std::vector{kCommitted, kAborted, kAborted}));
  Submit();
  transport_->Decide();
  EXPECT_EQ(outcomes_.back(), kCommitted);
  EXPECT_EQ(durable_end(), 2);
}

TEST_F(MemoryTransportTest, FenceLeavesNothingBehind) {
  transport_->Script({kFenced});
  Submit();
  transport_->Decide();
  EXPECT_EQ(outcomes_, std::vector{kFenced});
  EXPECT_EQ(appended_end(), 0);
}

TEST_F(MemoryTransportTest, UnknownFailsTheTransportUntilRestart) {
  transport_->Script({kCommitted, kUnknown});
  Submit();
  Submit();
  Submit();
  transport_->Decide();
  Submit();
  transport_->Decide();
  EXPECT_EQ(outcomes_, (std::vector{kCommitted, kUnknown, kUnknown, kUnknown}));
  EXPECT_EQ(durable_end(), 1);
  transport_->Restart();
  EXPECT_EQ(appended_end(), 1);
  Submit();
  transport_->Decide();
  EXPECT_EQ(outcomes_.back(), kCommitted);
}

TEST_F(MemoryTransportTest, UnknownIsThereAfterRestartOrNot) {
  int there = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    transport_->SetProbabilities(seed, {.unknown = 1});
    const int64_t before = durable_end();
    Submit();
    transport_->Decide();
    EXPECT_EQ(durable_end(), before);
    transport_->Restart();
    EXPECT_EQ(appended_end(), durable_end());
    there += static_cast<int>(durable_end() - before);
  }
  EXPECT_GT(there, 0);
  EXPECT_LT(there, 20);
}

TEST_F(MemoryTransportTest, RestartForgetsWhatIsNotDecided) {
  Submit();
  Submit();
  transport_->Decide(1);
  transport_->Restart();
  EXPECT_EQ(transport_->Decide(), 0U);
  EXPECT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(appended_end(), 1);
}

TEST_F(MemoryTransportTest, ProbabilitiesGiveEveryOutcome) {
  transport_->SetProbabilities(1, {.aborted = 0.3, .fenced = 0.3});
  for (int i = 0; i < 100; ++i) {
    Submit();
    transport_->Decide();
  }
  EXPECT_EQ(std::ranges::count(outcomes_, kCommitted), durable_end());
  EXPECT_GT(std::ranges::count(outcomes_, kAborted), 10);
  EXPECT_GT(std::ranges::count(outcomes_, kFenced), 10);
}

TEST_F(MemoryTransportTest, CallbackMayCommitAgain) {
  transport_ = MemoryTransport::Immediate();
  stream_ = *transport_->CreateStream(
      {.name = "clicks", .partitions = 1, .schema = nullptr, .properties = {}});
  auto epoch = transport_->BeginEpoch();
  epoch->CommitAsync([this](const CommitResult&) { Submit(); });
  EXPECT_EQ(outcomes_, std::vector{kCommitted});
}

TEST_F(MemoryTransportTest, DiskFullIsWhatTheTestSays) {
  EXPECT_FALSE(transport_->disk_full());
  transport_->SetDiskFull(true);
  EXPECT_TRUE(transport_->disk_full());
}

}  // namespace
}  // namespace millrace
