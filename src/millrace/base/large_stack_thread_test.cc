#include "millrace/base/large_stack_thread.h"

#include <pthread.h>

#include <set>

#include <gtest/gtest.h>

namespace millrace {
namespace {

/// Uses about 1 KiB of stack for each level.
size_t Descend(size_t levels) {
  volatile char frame[1024] = {};
  frame[levels % sizeof(frame)] = 1;
  return levels == 0 ? 0 : Descend(levels - 1) + static_cast<size_t>(frame[levels % sizeof(frame)]);
}

TEST(LargeStackThread, HasRoomForDeepRecursionAgainAndAgain) {
  LargeStackThread thread(size_t{256} << 20);
  for (int i = 0; i < 3; ++i) {
    size_t levels = 0;
    ASSERT_TRUE(thread.Run([&] { levels = Descend(100'000); }));
    EXPECT_EQ(levels, 100'000);
  }
}

TEST(LargeStackThread, RunsEverythingOnOneThread) {
  LargeStackThread thread(size_t{1} << 20);
  std::set<pthread_t> seen;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(thread.Run([&] { seen.insert(pthread_self()); }));
  }
  EXPECT_EQ(seen.size(), 1);
  EXPECT_FALSE(seen.contains(pthread_self()));
}

TEST(LargeStackThread, StartsNoThreadWithoutWork) { const LargeStackThread thread(1 << 20); }

}  // namespace
}  // namespace millrace
