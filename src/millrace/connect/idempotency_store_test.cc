#include "millrace/connect/idempotency_store.h"

#include <gtest/gtest.h>

#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using Key = IdempotencyStore::Key;
using Answer = IdempotencyStore::Answer;
using AnswerPtr = IdempotencyStore::AnswerPtr;

const Key kKey{"token", "clicks", "k1"};

class IdempotencyStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clicks_ = *transport_->CreateStream(
        {.name = "clicks",
         .partitions = 2,
         .schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64)}}),
         .properties = {}});
    Open();
  }

  void Open() {
    store_.reset();
    auto store = IdempotencyStore::Open(*transport_, clock_, metrics_);
    ASSERT_TRUE(store) << store.error().ToString();
    store_ = *std::move(store);
  }

  /// Begins a request; what its waiter is told goes to `waited_`.
  bool Begin(const Key& key, uint64_t body_hash) {
    return store_->Begin(key, body_hash,
                         [this](const Result<AnswerPtr>& answer) { waited_.push_back(answer); });
  }

  /// Commits what AddTo adds and ends the request.
  void Commit(const Key& key, uint64_t body_hash, const Answer& answer,
              const std::vector<PartitionId>& partitions = {}) {
    auto writer = transport_->BeginEpoch();
    store_->AddTo(*writer, key, body_hash, answer, partitions);
    writer->CommitAsync([&](const CommitResult& result) {
      ASSERT_EQ(result.outcome, CommitOutcome::kCommitted);
      store_->Finish(key, std::make_shared<const Answer>(answer), result.ranges.front().begin);
    });
  }

  int64_t StoredFrom() {
    return transport_->Describe(store_->stream(), PartitionId(0)).begin.value();
  }

  ManualClock clock_{1'000'000'000'000};
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  StreamId clicks_;
  MetricsRegistry registry_;
  const IdempotencyMetrics metrics_{registry_};
  std::unique_ptr<IdempotencyStore> store_;
  std::vector<Result<AnswerPtr>> waited_;
};

TEST_F(IdempotencyStoreTest, AnswersARepeatWithTheFirstAnswer) {
  ASSERT_TRUE(Begin(kKey, 1));
  Commit(kKey, 1, {.accepted = 3, .errors_count = 1});
  EXPECT_FALSE(Begin(kKey, 1));
  ASSERT_EQ(waited_.size(), 1U);
  ASSERT_TRUE(waited_[0]);
  EXPECT_EQ((*waited_[0])->accepted, 3U);
  EXPECT_EQ((*waited_[0])->errors_count, 1U);
}

TEST_F(IdempotencyStoreTest, LetsARepeatInFlightWaitForTheFirst) {
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 1));
  EXPECT_TRUE(waited_.empty());
  Commit(kKey, 1, {.accepted = 3});
  ASSERT_EQ(waited_.size(), 2U);
  EXPECT_EQ((*waited_[1])->accepted, 3U);
}

TEST_F(IdempotencyStoreTest, RefusesAnotherBodyUnderTheSameKey) {
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 2));
  Commit(kKey, 1, {.accepted = 3});
  EXPECT_FALSE(Begin(kKey, 2));
  ASSERT_EQ(waited_.size(), 2U);
  for (const auto& answer : waited_) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::kIdempotencyKeyReused);
  }
}

TEST_F(IdempotencyStoreTest, CountsRepeatsConflictsAndKeys) {
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 2));
  EXPECT_EQ(metrics_.replays.value(), 0) << "the first is not answered yet";
  EXPECT_EQ(metrics_.conflicts.value(), 1);
  Commit(kKey, 1, {.accepted = 3});
  EXPECT_EQ(metrics_.replays.value(), 1);
  EXPECT_FALSE(Begin(kKey, 1));
  EXPECT_EQ(metrics_.replays.value(), 2);

  const Key failing{"token", "clicks", "k2"};
  ASSERT_TRUE(Begin(failing, 1));
  EXPECT_FALSE(Begin(failing, 1));
  EXPECT_EQ(metrics_.keys.value(), 2);
  store_->Finish(failing, std::unexpected(Error(ErrorCode::kDiskFull, "full")), Offset());
  EXPECT_EQ(metrics_.replays.value(), 2) << "a failure is no replay";
  EXPECT_EQ(metrics_.keys.value(), 1);
  Open();
  EXPECT_EQ(metrics_.keys.value(), 1);
}

TEST_F(IdempotencyStoreTest, ScopesKeysByTokenAndStream) {
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_TRUE(Begin({"other", "clicks", "k1"}, 2));
  EXPECT_TRUE(Begin({"token", "bids", "k1"}, 3));
}

TEST_F(IdempotencyStoreTest, TakesARequestAgainThatFailed) {
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_FALSE(Begin(kKey, 1));
  store_->Finish(kKey, std::unexpected(Error(ErrorCode::kDiskFull, "full")), Offset());
  ASSERT_EQ(waited_.size(), 1U);
  EXPECT_EQ(waited_[0].error().code(), ErrorCode::kDiskFull);
  EXPECT_TRUE(Begin(kKey, 1));
}

TEST_F(IdempotencyStoreTest, RemembersOverARestart) {
  ASSERT_TRUE(Begin(kKey, 1));
  const Answer answer{
      .accepted = 3,
      .errors_count = 1,
      .errors = {{.index = 2, .code = ErrorCode::kRecordSyntax, .message = "no JSON"}}};
  // The last partition is not one of the stream any more.
  Commit(kKey, 1, answer, {PartitionId(1), PartitionId(7)});
  Open();
  EXPECT_FALSE(Begin(kKey, 2));
  EXPECT_EQ(waited_.back().error().code(), ErrorCode::kIdempotencyKeyReused);
  EXPECT_FALSE(Begin(kKey, 1));
  ASSERT_TRUE(waited_.back());
  const Answer& restored = **waited_.back();
  EXPECT_EQ(restored.accepted, 3U);
  ASSERT_EQ(restored.errors.size(), 1U);
  EXPECT_EQ(restored.errors[0].index, 2U);
  EXPECT_EQ(restored.errors[0].code, ErrorCode::kRecordSyntax);
  EXPECT_EQ(restored.errors[0].message, "no JSON");
  ASSERT_EQ(restored.positions.size(), 1U);
  EXPECT_EQ(restored.positions[0].first, PartitionId(1));
}

TEST_F(IdempotencyStoreTest, ForgetsAfterADayAlsoOverARestart) {
  ASSERT_TRUE(Begin(kKey, 1));
  Commit(kKey, 1, {.accepted = 3});
  clock_.Advance(std::chrono::microseconds(IdempotencyStore::kAgeMax));
  EXPECT_FALSE(Begin(kKey, 1));
  clock_.Advance(std::chrono::microseconds(1));
  Open();
  EXPECT_EQ(store_->size(), 0U);
  EXPECT_TRUE(Begin(kKey, 2));
}

TEST_F(IdempotencyStoreTest, GivesUpTheRecordsOfWhatItForgot) {
  for (int i = 0; i < 3000; ++i) {
    const Key key{"", "clicks", std::to_string(i)};
    ASSERT_TRUE(Begin(key, 1));
    Commit(key, 1, {.accepted = 1});
  }
  EXPECT_EQ(StoredFrom(), 0);
  clock_.Advance(std::chrono::microseconds(IdempotencyStore::kAgeMax + 1));
  ASSERT_TRUE(Begin(kKey, 1));
  EXPECT_EQ(store_->size(), 1U);
  Commit(kKey, 1, {.accepted = 1});
  EXPECT_EQ(StoredFrom(), 3000);
  Open();
  EXPECT_EQ(store_->size(), 1U);
}

TEST_F(IdempotencyStoreTest, RefusesFramesThatItCannotRead) {
  for (const auto& [bytes, code] : {std::pair(Bytes(1, std::byte{9}), ErrorCode::kFormatTooNew),
                                    {Bytes(3, std::byte{1}), ErrorCode::kCorruption}}) {
    auto transport = MemoryTransport::Immediate();
    {
      const auto store = IdempotencyStore::Open(*transport, clock_);
      auto writer = transport->BeginEpoch();
      writer->AppendOpaque((*store)->stream(), PartitionId(0), FrameType::kState, bytes);
      writer->CommitAsync({});
    }
    const auto store = IdempotencyStore::Open(*transport, clock_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code(), code);
  }
}

}  // namespace
}  // namespace millrace
