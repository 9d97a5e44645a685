// A view over files on virtual time: what the file source, the stream and the engine do together.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/direct_tables.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/connect/file/file_source_testing.h"
#include "millrace/engine/pipeline_runner.h"
#include "millrace/sql/compile_project.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kSql = R"sql(
CREATE TABLE t (at timestamptz, k text NOT NULL, n bigint)
  WITH (connector = 'file', path = '/in/*', event_time = 'at', partitions = 2);
CREATE MATERIALIZED VIEW finals WITH (emit = 'final') AS
  SELECT window_start, count(*) AS lines, sum(n) AS total
  FROM tumble(t, at, interval '10 minutes') GROUP BY window_start;
)sql";

class FileStreamingTest : public FileSourceTest {
 protected:
  void SetUp() override {
    const SqlFile file{.path = "test.sql", .text = std::string(kSql)};
    auto project = CompileProject(std::span(&file, 1), {}, nullptr);
    ASSERT_TRUE(project) << project.error().ToString();
    project_ = *std::move(project);
    table_ = project_.tables.front();
    limits_.block_bytes = 300;
  }

  virtual Transport& ReaderSide() { return *transport_; }

  void StartAll() {
    Start();
    auto runner = PipelineRunner::Create(project_.views.front(), project_, ReaderSide(), clock_,
                                         workers_, {}, [] {});
    ASSERT_TRUE(runner) << runner.error().ToString();
    runner_ = *std::move(runner);
  }

  void RunPipeline() {
    while (true) {
      const auto progress = runner_->Step();
      ASSERT_TRUE(progress) << progress.error().ToString();
      if (*progress == PipelineRunner::Progress::kWaiting && runner_->caught_up()) {
        return;
      }
    }
  }

  std::vector<std::string> Rows(const std::string& stream_name) {
    const auto stream = transport_->FindStream(stream_name);
    const RowJsonWriter writer(*stream->definition.schema);
    std::vector<std::string> rows;
    for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
      const auto cursor =
          transport_->OpenCursor(stream->id, PartitionId(p), Offset(0), Visibility::kDurable);
      const auto frames = cursor->Poll(SIZE_MAX);
      EXPECT_TRUE(frames);
      for (const StreamFrame& frame : *frames) {
        for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
          writer.Append(*frame.batch, row, rows.emplace_back());
        }
      }
    }
    std::ranges::sort(rows);
    return rows;
  }

  /// Three files that cover the same hours in different steps, one of them compressed. Returns the
  /// rows that `finals` must have in the end.
  std::vector<std::string> WriteFiles() {
    std::map<int, std::pair<int, int64_t>> windows;
    for (int file = 0; file < 3; ++file) {
      std::string lines;
      for (int minute = file; minute < 300; minute += 1 + file * 3) {
        lines += Line(minute, "k", minute);
        auto& [count, total] = windows[minute / 10];
        ++count;
        total += minute;
      }
      Append(fmt::format("/in/{}", file), file == 1 ? Gzip(lines) : lines);
    }
    std::vector<std::string> rows;
    rows.reserve(windows.size());
    for (const auto& [window, values] : windows) {
      rows.push_back(
          fmt::format(R"({{"window_start":"2026-01-01T{:02}:{:02}:00Z","lines":{},"total":{}}})",
                      window / 6, window % 6 * 10, values.first, values.second));
    }
    return rows;
  }

  ProjectDefinition project_;
  WorkerPool workers_{2};
  std::unique_ptr<PipelineRunner> runner_;
};

/// The same without a stream between the two.
class DirectFileStreamingTest : public FileStreamingTest {
 protected:
  void SetUp() override {
    FileStreamingTest::SetUp();
    table_.is_direct = true;
    project_.tables.front().is_direct = true;
    ingest_options_.unread = {1};  // k
    OpenDirect();
  }

  void TearDown() override { StopAll(); }

  void StopAll() {
    direct_.Close();
    source_.reset();
    ingestor_.reset();
    runner_.reset();
  }

  void OpenDirect() {
    auto direct = DirectTables::Open(project_, *transport_);
    ASSERT_TRUE(direct) << direct.error().ToString();
    direct_ = *std::move(direct);
  }

  void CrashAll() {
    StopAll();
    Crash();
    OpenDirect();
  }

  Transport& SourceSide() override { return direct_.SourceSide(table_); }
  Transport& ReaderSide() override { return direct_.ReaderSide(project_.views.front()); }

  /// Both, until neither has anything to do.
  void RunBoth() {
    for (int i = 0; i < 1000; ++i) {
      Run();
      RunPipeline();
    }
  }

  DirectTables direct_;
};

TEST_F(DirectFileStreamingTest, GivesTheSame) {
  const auto expected = WriteFiles();
  StartAll();
  RunBoth();
  EXPECT_EQ(source_->status().state, SourceStatus::State::kEnded);
  EXPECT_EQ(Rows("finals"), expected);
  EXPECT_THAT(Rows("late$finals"), IsEmpty());
  EXPECT_THAT(Rows("t"), IsEmpty()) << "nothing is stored";
}

TEST_F(DirectFileStreamingTest, GivesTheSameHoweverOftenItCrashes) {
  auto expected = WriteFiles();
  Append("/in/0", "not a record\n");
  int crashes = 0;
  for (int steps = 1; steps < 500; ++steps) {
    StartAll();
    if (source_->status().state == SourceStatus::State::kEnded) {
      break;
    }
    for (int i = 0; i < 1 + steps % 3; ++i) {
      ASSERT_TRUE(source_->Step());
      if (steps % 4 != 0) {
        ASSERT_TRUE(runner_->Step());
      }
    }
    ++crashes;
    CrashAll();
  }
  EXPECT_GT(crashes, 20);
  ASSERT_NE(runner_, nullptr);
  RunPipeline();
  EXPECT_EQ(Rows("finals"), expected);
  EXPECT_THAT(Rows("late$finals"), IsEmpty());
  EXPECT_EQ(Rows("errors$t").size(), 1U);
}

TEST_F(FileStreamingTest, ClosesAllWindowsOfABoundedInputAndFindsNoRowLate) {
  const auto expected = WriteFiles();
  StartAll();
  Run();
  RunPipeline();
  EXPECT_EQ(Rows("finals"), expected);
  EXPECT_THAT(Rows("late$finals"), IsEmpty());
}

TEST_F(FileStreamingTest, GivesTheSameHoweverOftenItCrashes) {
  const auto expected = WriteFiles();
  for (int steps = 1; steps < 500; ++steps) {
    StartAll();
    if (source_->status().state == SourceStatus::State::kEnded) {
      break;
    }
    for (int i = 0; i < 1 + steps % 3; ++i) {
      ASSERT_TRUE(source_->Step());
    }
    if (steps % 2 == 0) {
      RunPipeline();
    }
    runner_.reset();
    Crash();
  }
  ASSERT_NE(runner_, nullptr);
  RunPipeline();
  EXPECT_EQ(Rows("finals"), expected);
  EXPECT_THAT(Rows("late$finals"), IsEmpty());
}

TEST_F(FileStreamingTest, MovesTheWatermarkOfAFollowedFileOn) {
  options_.mode = FileMode::kFollow;
  Append("/in/a", Line(1) + Line(9) + Line(11));
  Append("/in/b", Line(5) + Line(8));
  StartAll();
  Run();
  RunPipeline();
  EXPECT_THAT(Rows("finals"), IsEmpty());  // b may go on within the first window.
  Append("/in/b", Line(10));
  Wait(std::chrono::seconds(1));
  RunPipeline();
  EXPECT_THAT(Rows("finals"),
              ElementsAre(R"({"window_start":"2026-01-01T00:00:00Z","lines":4,"total":4})"));
}

}  // namespace
}  // namespace millrace
