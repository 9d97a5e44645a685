#include "millrace/connect/sink_thread.h"

#include <atomic>

#include <gtest/gtest.h>

#include "millrace/connect/sink_testing.h"

namespace millrace {
namespace {

/// Counts what is flushed.
class CountingSink final : public Sink {
 public:
  explicit CountingSink(std::atomic<uint64_t>& flushed) : flushed_(flushed) {}

  Result<std::optional<Positions>> Open() override { return std::optional<Positions>(); }
  Status Write(const SinkRows& rows) override {
    rows_ += rows.rows == nullptr ? 0 : rows.rows->rows();
    return {};
  }
  Status Flush() override {
    flushed_ += std::exchange(rows_, 0);
    flushed_.notify_all();
    return {};
  }
  size_t unflushed_bytes() const override { return rows_ * 100; }

 private:
  std::atomic<uint64_t>& flushed_;
  size_t rows_ = 0;
};

class SinkThreadTest : public SinkTest {
 protected:
  std::unique_ptr<SinkRunner> Runner(SinkThread& thread) {
    return std::make_unique<SinkRunner>(
        "t", stream_,
        [this]() -> Result<std::unique_ptr<Sink>> {
          return std::make_unique<CountingSink>(flushed_);
        },
        *transport_, clock_, options_, [&thread] { thread.Wake(); });
  }

  std::atomic<uint64_t> flushed_ = 0;
};

TEST_F(SinkThreadTest, CarriesRecordsAsTheyBecomeDurable) {
  options_.flush_bytes = 1;
  SinkThread thread;
  thread.Start("t", Runner(thread));
  for (uint64_t count = 0; count < 20; count += 2) {
    Append(0, {"a", "b"});
    while (flushed_ < count + 2) {
      flushed_.wait(flushed_);
    }
  }
  thread.Stop();
  EXPECT_EQ(thread.status().rows, 20);
  EXPECT_EQ(Committed(0), 20);
}

TEST_F(SinkThreadTest, FlushesWhenItIsStopped) {
  SinkThread thread;
  Append(0, {"a"});
  auto runner = Runner(thread);
  ASSERT_TRUE(runner->Step());
  thread.Start("t", std::move(runner));
  thread.Stop();
  EXPECT_EQ(flushed_, 1U);
  thread.Wake();  // Harmless.
}

TEST_F(SinkThreadTest, TellsWhatHasStoppedIt) {
  SinkThread thread;
  auto runner = std::make_unique<SinkRunner>(
      "t", stream_,
      []() -> Result<std::unique_ptr<Sink>> {
        return Err(ErrorCode::kSinkMismatch, "as the test wants it");
      },
      *transport_, clock_, options_, [&thread] { thread.Wake(); });
  ASSERT_FALSE(runner->Step());
  thread.Start("t", std::move(runner));
  thread.Stop();
  EXPECT_EQ(thread.status().state, SinkStatus::State::kFailed);
  EXPECT_EQ(thread.status().error->code(), ErrorCode::kSinkMismatch);
}

}  // namespace
}  // namespace millrace
