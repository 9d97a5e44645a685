// A query of SQL over rows that are made up, on a clock that runs by itself.

#include "millrace/engine/query_execution.h"

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/compile_query.h"

namespace millrace {
namespace {

/// A millisecond passes whenever someone looks.
class PassingClock final : public Clock {
 public:
  Micros WallMicros() const override { return 0; }
  std::chrono::nanoseconds Monotonic() const override {
    return std::chrono::milliseconds(looks_.fetch_add(1) + 1);
  }

 private:
  mutable std::atomic<int64_t> looks_{0};
};

/// One frame.
class Frame final : public QueryInput {
 public:
  explicit Frame(BatchPtr rows) : rows_(std::move(rows)) {}

  Result<SourcePartition::Slice> Next(size_t) override {
    SourcePartition::Slice slice;
    if (rows_ != nullptr) {
      slice.any = true;
      slice.rows = rows_->rows();
      slice.pieces.push_back(
          {.rows = rows_, .original = std::exchange(rows_, nullptr), .begin = {}});
    }
    return slice;
  }

 private:
  BatchPtr rows_;
};

class QueryExecutionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const SqlFile file{.path = "p.sql", .text = "CREATE TABLE t (n bigint);"};
    auto project = CompileProject(std::span(&file, 1), {}, nullptr);
    ASSERT_TRUE(project) << project.error().ToString();
    project_ = *std::move(project);
  }

  /// Over a frame of so many rows.
  Result<QueryRows::Result> Run(std::string_view sql, int64_t rows,
                                std::chrono::milliseconds deadline) {
    MR_ASSIGN(const QueryDefinition query, CompileQuery(sql, project_, {.now = 0}));
    MR_ASSIGN(const auto plan, PipelinePlan::Make(query, project_));
    ColumnBuilder numbers(DataType::Of(TypeId::kInt64));
    for (int64_t i = 0; i < rows; ++i) {
      numbers.AppendFixed(i);
    }
    std::vector<std::vector<std::unique_ptr<QueryInput>>> inputs(1);
    inputs[0].push_back(std::make_unique<Frame>(
        Batch::Make(project_.tables[0].schema, {numbers.Finish()}, static_cast<size_t>(rows))));
    const std::atomic<bool> ended{false};
    const PassingClock clock;
    WorkerPool workers(1);
    QueryExecution execution(query, *plan, std::move(inputs), {.deadline = deadline},
                             {.clock = clock, .workers = workers, .ended = ended});
    return execution.Run();
  }

  ProjectDefinition project_;
};

TEST_F(QueryExecutionTest, LooksAtTheClockWithinAFrame) {
  constexpr std::chrono::milliseconds kDeadline{60};
  for (const std::string_view sql :
       {"SELECT count(*) AS n FROM t WHERE n % 2 = 0", "SELECT n + 1 AS m FROM t WHERE n < 3"}) {
    EXPECT_TRUE(Run(sql, 1000, kDeadline)) << sql;
    const auto late = Run(sql, 100'000, kDeadline);
    ASSERT_FALSE(late) << sql;
    EXPECT_EQ(late.error().code(), ErrorCode::kQueryTimeout);
  }
}

}  // namespace
}  // namespace millrace
