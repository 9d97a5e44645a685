#include "millrace/base/bounded_queue.h"

#include <atomic>

#include <gtest/gtest.h>

#include "millrace/base/check.h"
#include "millrace/base/thread.h"

namespace millrace {
namespace {

TEST(BoundedQueue, IsFirstInFirstOut) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.Push(1));
  EXPECT_TRUE(queue.Push(2));
  int third = 3;
  EXPECT_FALSE(queue.TryPush(third));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_TRUE(queue.TryPush(third));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.TryPop(), 2);
  EXPECT_EQ(queue.TryPop(), 3);
  EXPECT_EQ(queue.TryPop(), std::nullopt);
}

TEST(BoundedQueue, DrainsAfterClose) {
  BoundedQueue<int> queue(2);
  queue.Push(1);
  queue.Close();
  EXPECT_FALSE(queue.Push(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, BlocksTheProducerAndLosesNothing) {
  constexpr int kItems = 10'000;
  BoundedQueue<int> queue(3);
  Thread producer("producer", [&] {
    for (int i = 0; i < kItems; ++i) {
      queue.Push(i);
    }
    queue.Close();
  });
  int expected = 0;
  while (const auto item = queue.Pop()) {
    ASSERT_EQ(*item, expected++);
  }
  EXPECT_EQ(expected, kItems);
  producer.Join();
  EXPECT_FALSE(producer.joinable());
}

TEST(BoundedQueue, CloseWakesAWaitingConsumer) {
  BoundedQueue<int> queue(1);
  Thread consumer("consumer", [&] { EXPECT_EQ(queue.Pop(), std::nullopt); });
  queue.Close();
  consumer.Join();
}

TEST(Thread, JoinsWhenReplacedOrDestroyed) {
  std::atomic<int> runs{0};  // The replaced thread may still run beside the next one.
  {
    Thread thread("a-name-longer-than-15-bytes", [&] { ++runs; });
    thread = Thread("next", [&] { ++runs; });
  }
  EXPECT_EQ(runs, 2);
  EXPECT_GE(AvailableProcessors(), 1);
}

TEST(CheckDeathTest, PrintsItsOperands) {
  EXPECT_DEATH(MR_CHECK(1 > 2, "{} and {}", 1, 2), "1 > 2.*1 and 2");
}

}  // namespace
}  // namespace millrace
