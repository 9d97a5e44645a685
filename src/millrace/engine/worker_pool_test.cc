#include "millrace/engine/worker_pool.h"

#include <atomic>
#include <vector>

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(WorkerPool, RunsEveryTaskOnce) {
  WorkerPool pool(3);
  for (size_t count = 0; count < 50; ++count) {
    std::vector<std::atomic<int>> runs(count);
    pool.ForEach(count, [&](size_t i) { ++runs[i]; });
    for (const std::atomic<int>& run : runs) {
      ASSERT_EQ(run, 1);
    }
  }
}

TEST(WorkerPool, ForgetsAPhaseWithoutTasks) {
  // An empty phase once stayed in the list of phases after its end.
  WorkerPool pool(2);
  for (int i = 0; i < 1000; ++i) {
    pool.ForEach(0, [](size_t) { FAIL(); });
    std::atomic<int> sum{0};
    pool.ForEach(4, [&](size_t task) { sum += static_cast<int>(task); });
    ASSERT_EQ(sum, 6);
  }
}

}  // namespace
}  // namespace millrace
