#include "millrace/connect/source_thread.h"

#include <atomic>

#include <gtest/gtest.h>

namespace millrace {
namespace {

/// Returns what it is told, one answer per step; then it waits until woken.
class ScriptedSource final : public Source {
 public:
  ScriptedSource(std::vector<Result<std::chrono::nanoseconds>> script, std::atomic<int>& steps)
      : script_(std::move(script)), steps_(steps) {}

  Result<std::chrono::nanoseconds> Step() override {
    const int step = steps_.fetch_add(1);
    steps_.notify_all();
    const auto at = static_cast<size_t>(step);
    return at < script_.size() ? script_[at] : Result<std::chrono::nanoseconds>(kUntilWoken);
  }

  SourceStatus status() const override { return {.records = 7}; }

 private:
  const std::vector<Result<std::chrono::nanoseconds>> script_;
  std::atomic<int>& steps_;
};

void WaitForSteps(std::atomic<int>& steps, int count) {
  for (int seen = steps.load(); seen < count; seen = steps.load()) {
    steps.wait(seen);
  }
}

TEST(SourceThread, StepsUntilTheSourceWaitsAndAgainWhenWoken) {
  std::atomic<int> steps = 0;
  SourceThread thread;
  thread.Start("test", std::make_unique<ScriptedSource>(
                           std::vector<Result<std::chrono::nanoseconds>>{
                               std::chrono::nanoseconds(0), std::chrono::milliseconds(1)},
                           steps));
  WaitForSteps(steps, 3);
  thread.Wake();
  WaitForSteps(steps, 4);
  EXPECT_EQ(thread.status().records, 7);
  EXPECT_EQ(thread.status().state, SourceStatus::State::kRunning);
  thread.Stop();
  thread.Wake();  // Harmless.
}

TEST(SourceThread, StopsAfterAFailureAndTellsIt) {
  std::atomic<int> steps = 0;
  SourceThread thread;
  thread.Start("test", std::make_unique<ScriptedSource>(
                           std::vector<Result<std::chrono::nanoseconds>>{
                               Err(ErrorCode::kSourceUnavailable, "as the test wants it")},
                           steps));
  WaitForSteps(steps, 1);
  thread.Stop();
  EXPECT_EQ(steps.load(), 1);
  EXPECT_EQ(thread.status().state, SourceStatus::State::kFailed);
  ASSERT_TRUE(thread.status().error);
  EXPECT_EQ(thread.status().error->code(), ErrorCode::kSourceUnavailable);
}

}  // namespace
}  // namespace millrace
