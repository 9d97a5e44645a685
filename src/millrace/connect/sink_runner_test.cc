#include "millrace/connect/sink_runner.h"

#include <deque>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/connect/sink_options.h"
#include "millrace/connect/sink_testing.h"

namespace millrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = SinkStatus::State;

/// The outside world: what is final, what is not, and errors to come.
struct Target {
  bool keeps_position = true;
  std::vector<std::string> rows;
  Sink::Positions positions;
  std::vector<std::string> calls;
  std::deque<std::pair<std::string, ErrorCode>> failures;  ///< Of the next call of that name.

  Status Call(const std::string& name) {
    calls.push_back(name);
    if (!failures.empty() && failures.front().first == name) {
      const ErrorCode code = failures.front().second;
      failures.pop_front();
      return Err(code, "as the test wants it");
    }
    return {};
  }
};

class ScriptedSink final : public Sink {
 public:
  explicit ScriptedSink(Target& target) : target_(target) {}

  Result<std::optional<Positions>> Open() override {
    MR_TRY(target_.Call("open"));
    return target_.keeps_position ? std::optional(target_.positions) : std::nullopt;
  }

  Status Write(const SinkRows& rows) override {
    MR_TRY(target_.Call("write"));
    const auto known = positions_.find(rows.partition.value());
    if (known != positions_.end()) {
      EXPECT_EQ(rows.begin, known->second) << "rows go on where they ended";
    }
    positions_[rows.partition.value()] = rows.end;
    for (size_t row = 0; rows.rows != nullptr && row < rows.rows->rows(); ++row) {
      rows_.emplace_back(rows.rows->column(0).Text(row));
    }
    return {};
  }

  Status Flush() override {
    const Status status = target_.Call("flush");
    if (!status && status.error().code() != ErrorCode::kSyncFailed) {
      return status;
    }
    target_.rows.insert(target_.rows.end(), rows_.begin(), rows_.end());
    rows_.clear();
    for (const auto& [partition, position] : positions_) {
      target_.positions[partition] = position;
    }
    return status;  // kSyncFailed: it has happened, and nobody knows.
  }

  size_t unflushed_bytes() const override { return rows_.size(); }

 private:
  Target& target_;
  std::vector<std::string> rows_;
  Positions positions_;
};

class SinkRunnerTest : public SinkTest {
 protected:
  SinkRunnerTest() {
    make_ = [this]() -> Result<std::unique_ptr<Sink>> {
      return std::make_unique<ScriptedSink>(target_);
    };
    options_.flush_bytes = 100;
  }

  Target target_;
};

TEST_F(SinkRunnerTest, FlushesAfterItsInterval) {
  Append(0, {"a", "b"});
  Append(1, {"c"});
  Start();
  EXPECT_EQ(Run(), seconds(10));
  EXPECT_THAT(target_.rows, IsEmpty());
  EXPECT_EQ(runner_->status().rows_behind, 3);
  EXPECT_EQ(Committed(0), 0);
  clock_.Advance(seconds(4));
  Append(0, {"d"});
  EXPECT_EQ(Run(), seconds(6));
  clock_.Advance(seconds(6));
  EXPECT_EQ(Run(), SteppedThread::kUntilWoken);
  EXPECT_THAT(target_.rows, ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(target_.positions, ElementsAre(std::pair(0, Offset(3)), std::pair(1, Offset(1))));
  EXPECT_EQ(Committed(0), 3);
  EXPECT_EQ(Committed(1), 1);
  const SinkStatus status = runner_->status();
  EXPECT_EQ(status.state, State::kWaiting);
  EXPECT_EQ(status.rows, 4);
  EXPECT_EQ(status.flushes, 1);
  EXPECT_EQ(status.rows_behind, 0);
}

TEST_F(SinkRunnerTest, FlushesWhenMemoryIsUsedUpAndAtAnEnd) {
  options_.flush_bytes = 2;
  Append(0, {"a", "b", "c"});
  Start();
  Run();
  EXPECT_THAT(target_.rows, ElementsAre("a", "b", "c"));
  options_.flush_bytes = 100;
  Start();
  Append(0, {"d"});
  Run();
  EXPECT_EQ(target_.rows.size(), 3U);
  AppendControl(0, ControlFrame::Kind::kEnd);
  Run();
  EXPECT_EQ(target_.rows.size(), 4U);
  EXPECT_EQ(Committed(0), 5);
}

TEST_F(SinkRunnerTest, IsWokenByDurableRecordsOnly) {
  Start();
  Run();
  const int before = wakes_;
  Append(0, {"a"});
  EXPECT_GT(wakes_, before);
}

TEST_F(SinkRunnerTest, IsKnownAsAReaderBeforeItWrites) {
  transport_->Script({CommitOutcome::kAborted});
  Start();
  EXPECT_EQ(Run(), SteppedThread::kUntilWoken);
  EXPECT_EQ(Committed(0), -1);
  EXPECT_THAT(target_.calls, ElementsAre("open"));
  Run();
  EXPECT_EQ(Committed(0), 0);
  EXPECT_EQ(Committed(1), 0);
}

TEST_F(SinkRunnerTest, GoesOnAtTheTargetsPositionAfterACrash) {
  Append(0, {"a", "b", "c", "d"});
  Start();
  Wait(seconds(10));
  // The target is ahead of what the transport knows, and in the middle of a frame.
  target_.positions[0] = Offset(2);
  target_.rows = {"a", "b"};
  Start();
  Wait(seconds(10));
  EXPECT_THAT(target_.rows, ElementsAre("a", "b", "c", "d"));
}

TEST_F(SinkRunnerTest, TakesTheStreamsPositionWhereTheTargetKeepsNone) {
  target_.keeps_position = false;
  Append(0, {"a"});
  Append(1, {"b"});
  Start();
  Wait(seconds(10));
  Append(0, {"c"});
  Start();
  Wait(seconds(10));
  EXPECT_THAT(target_.rows, ElementsAre("a", "b", "c"));
}

TEST_F(SinkRunnerTest, OpensAFailedTargetAgainAfterAPauseThatGrows) {
  Append(0, {"a"});
  for (const char* call : {"open", "open", "write", "flush"}) {
    target_.failures.emplace_back(call, ErrorCode::kIoError);
  }
  Start();
  EXPECT_EQ(Run(), milliseconds(500));
  EXPECT_EQ(runner_->status().state, State::kRetrying);
  EXPECT_EQ(runner_->status().error->code(), ErrorCode::kIoError);
  clock_.Advance(milliseconds(499));
  EXPECT_EQ(Run(), milliseconds(1));
  clock_.Advance(milliseconds(1));
  EXPECT_EQ(Run(), seconds(1));
  clock_.Advance(seconds(1));
  EXPECT_EQ(Run(), seconds(2));
  clock_.Advance(seconds(2));
  EXPECT_EQ(Run(), seconds(10));
  EXPECT_EQ(runner_->status().state, State::kRetrying) << "nothing has got through yet";
  clock_.Advance(seconds(10));
  EXPECT_EQ(Run(), seconds(4));
  clock_.Advance(seconds(4));
  Wait(seconds(11));
  EXPECT_THAT(target_.rows, ElementsAre("a"));
  EXPECT_EQ(runner_->status().failures, 4);
  EXPECT_EQ(runner_->status().state, State::kWaiting);
  EXPECT_EQ(runner_->status().error, std::nullopt);
  target_.failures.emplace_back("write", ErrorCode::kDiskFull);
  Append(0, {"b"});
  EXPECT_EQ(Run(), milliseconds(500));  // Counted anew after a success.
}

TEST_F(SinkRunnerTest, RepeatsNothingWhenAFlushFailsThatHasHappened) {
  Append(0, {"a", "b"});
  target_.failures.emplace_back("flush", ErrorCode::kSyncFailed);
  Start();
  Wait(seconds(30));
  EXPECT_THAT(target_.rows, ElementsAre("a", "b"));
}

TEST_F(SinkRunnerTest, StopsWhereTryingAgainHelpsNothing) {
  Append(0, {"a"});
  target_.failures.emplace_back("write", ErrorCode::kSinkRetraction);
  Start();
  const auto next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkRetraction);
  EXPECT_THAT(next.error().ToString(), HasSubstr("sink of table t"));
}

TEST_F(SinkRunnerTest, RefusesATargetThatAnotherDataDirectoryHasFilled) {
  Append(0, {"a"});
  target_.positions[0] = Offset(1);
  Start();
  auto next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkMismatch);
  target_.positions.clear();
  Start();
  Wait(seconds(10));
  target_.positions[0] = Offset(7);  // Behind the stream's end.
  Start();
  next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkMismatch);
}

TEST_F(SinkRunnerTest, FailsWhenTheTransportHasFailed) {
  Start();
  Run();
  Append(0, {"a"});
  transport_->Script({CommitOutcome::kUnknown});
  clock_.Advance(seconds(10));
  Run();
  clock_.Advance(seconds(10));
  (void)runner_->Step();
  const auto next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kCommitUnknown);
}

TEST_F(SinkRunnerTest, FlushesAtAnOrderlyEnd) {
  Append(0, {"a"});
  Start();
  Run();
  EXPECT_THAT(target_.rows, IsEmpty());
  runner_->Finish();
  EXPECT_THAT(target_.rows, ElementsAre("a"));
  EXPECT_EQ(Committed(0), 1);
}

TableDefinition Table(const std::map<std::string, std::string>& options) {
  TableDefinition table;
  table.name = "t";
  table.location = {"t.sql", 1, 14};
  table.schema = MakeSchema({{.name = "k", .type = DataType::Of(TypeId::kText)},
                             {.name = "n", .type = DataType::Of(TypeId::kInt64)}});
  int line = 2;
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {"t.sql", line++, 3}};
  }
  return table;
}

std::string Errors(const std::map<std::string, std::string>& options, bool retracts = false) {
  std::vector<ProjectError> errors;
  CheckSink(
      {.table = Table(options), .stream = "s", .retracts = retracts, .location = {"t.sql", 9, 1}},
      errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return text;
}

TEST(SinkOptions, AreCheckedByTheirConnector) {
  EXPECT_EQ(Errors({{"connector", "blackhole"}}), "");
  EXPECT_EQ(Errors({{"connector", "blackhole"}, {"flush_interval", "1 s"}}), "");
  EXPECT_EQ(Errors({{"connector", "blackhole"}, {"path", "x"}}),
            "t.sql:3:3: MR1002: unknown option 'path'\n");
  EXPECT_EQ(Errors({{"connector", "nexmark"}}),
            "t.sql:2:3: MR2013: INSERT INTO needs a table with a sink: t has none (connectors with "
            "a sink: file, blackhole)\n");
  EXPECT_EQ(Errors({{"connector", "file"}}), "t.sql:1:14: MR1004: option path must be set\n");
  EXPECT_EQ(Errors({{"connector", "file"}, {"path", "out"}, {"flush_bytes", "64 KiB"}}), "");
  EXPECT_EQ(Errors({{"connector", "file"}, {"header", "false"}, {"path", "out"}}),
            "t.sql:3:3: MR1003: header is for format = 'csv'\n");
  EXPECT_EQ(Errors({{"change_column", "n"}, {"connector", "file"}, {"path", "out"}}),
            "t.sql:2:3: MR1003: n is a column\n");
  EXPECT_EQ(Errors({{"connector", "file"},
                    {"format", "csv"},
                    {"null_text", "a,b"},
                    {"path", "out"},
                    {"quote", ","}}),
            "t.sql:6:3: MR1003: delimiter and quote must differ\n"
            "t.sql:4:3: MR1003: null_text may hold neither delimiter nor quote nor line end\n");
}

TEST(SinkOptions, OnlySomeTargetsShowThatRowsAreTakenBack) {
  EXPECT_EQ(Errors({{"connector", "blackhole"}}, true), "");
  EXPECT_EQ(Errors({{"change_column", "op"}, {"connector", "file"}, {"path", "out"}}, true), "");
  EXPECT_EQ(Errors({{"connector", "file"}, {"path", "out"}}, true),
            "t.sql:9:1: MR2013: the query takes rows back, which t cannot show (a view with emit = "
            "'final' does not; change_column = 'op' adds a column that says so to files)\n");
  EXPECT_NE(Errors({{"change_column", ""}, {"connector", "file"}, {"path", "out"}}, true), "");
}

TEST_F(SinkTest, BlackholesKeepTheirPositionInTheStream) {
  const TableDefinition table = Table({{"connector", "blackhole"}, {"flush_interval", "1 s"}});
  Append(0, {"a", "b"});
  SimulatedFileSystem files(1);
  for (int life = 1; life <= 2; ++life) {
    runner_ = MakeSinkRunner(table, stream_,
                             {.transport = *transport_,
                              .files = files,
                              .clock = clock_,
                              .project_dir = "",
                              .wake = [] {},
                              .metrics = {}});
    Wait(seconds(1));
    EXPECT_EQ(runner_->status().rows, life == 1 ? 2 : 0);
    EXPECT_EQ(Committed(0), 2);
  }
}

}  // namespace
}  // namespace millrace
