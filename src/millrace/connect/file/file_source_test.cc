#include "millrace/connect/file/file_source.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/connect/file/file_source_testing.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/functions.h"

namespace millrace {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = SourceStatus::State;

// Bounded inputs

TEST_F(FileSourceTest, ReadsABoundedInputToItsEnd) {
  Append("/in/a.log", Line(1, "a1") + Line(2, "a2"));
  Append("/in/b.log", Line(1, "b1") + "\n" + Line(2, "b2").substr(0, Line(2, "b2").size() - 1));
  Start();
  EXPECT_EQ(Run(), Source::kUntilWoken);
  EXPECT_THAT(Keys(), ElementsAre("a1", "a2", "b1", "b2"));
  EXPECT_THAT(Errors(), IsEmpty());
  const SourceStatus status = source_->status();
  EXPECT_EQ(status.state, State::kEnded);
  EXPECT_EQ(status.splits, 2);
  EXPECT_EQ(status.splits_finished, 2);
  EXPECT_EQ(status.records, 4);
  EXPECT_EQ(status.bytes_behind, 0);
}

TEST_F(FileSourceTest, EndsOnceAndNeverReadsAgain) {
  Append("/in/a.log", Line(1, "a"));
  Start();
  Run();
  const auto frames = Frames(0);
  EXPECT_THAT(frames, ElementsAre("active", "1 rows <=00:01", "idle", "end"));
  Append("/in/late.log", Line(2, "late"));
  Remove("/in/a.log");
  Start();
  Run();
  EXPECT_EQ(source_->status().state, State::kEnded);
  EXPECT_EQ(Frames(0), frames);
  options_.mode = FileMode::kFollow;
  EXPECT_EQ(StartError().code(), ErrorCode::kSourceChanged);
}

TEST_F(FileSourceTest, TakesUpWhereACrashLeftIt) {
  // Every crash keeps what was committed: blocks of about two lines.
  limits_.block_bytes = 2 * Line(10, "k10").size() + 5;
  std::vector<std::string> expected;
  for (int i = 10; i < 40; ++i) {
    expected.push_back(fmt::format("k{}", i));
    Append("/in/a.log", Line(i, expected.back()));
  }
  for (int crashes = 0; crashes < 100; ++crashes) {
    Start();
    if (source_->status().state == State::kEnded) {
      break;
    }
    ASSERT_TRUE(source_->Step());
    ASSERT_TRUE(source_->Step());
    ASSERT_TRUE(source_->Step());
    Crash();
  }
  EXPECT_EQ(Keys(0), expected);
  EXPECT_EQ(Frames(0).back(), "end");
}

TEST_F(FileSourceTest, ReadsAgainWhatWasAborted) {
  limits_.block_bytes = 200;
  std::vector<std::string> expected;
  for (int i = 10; i < 60; ++i) {
    expected.push_back(fmt::format("k{}", i));
    Append("/in/a.log", Line(i, expected.back()));
  }
  transport_->SetProbabilities(7, {.aborted = 0.3});
  Start();
  Run();
  EXPECT_EQ(Keys(0), expected);
}

TEST_F(FileSourceTest, FailsWhenTheTransportHasFailed) {
  Append("/in/a.log", Line(1));
  Start();
  transport_->Script({CommitOutcome::kUnknown});
  while (true) {
    const auto next = source_->Step();
    if (!next) {
      EXPECT_EQ(next.error().code(), ErrorCode::kCommitUnknown);
      break;
    }
  }
  Crash();
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a"));
}

TEST_F(FileSourceTest, KeepsFewCommitsInFlight) {
  transport_ = MemoryTransport::Delayed();
  limits_ = {.block_bytes = 64, .commits_in_flight_max = 3, .readers_max = 4};
  for (int i = 0; i < 20; ++i) {
    Append("/in/a.log", Line(i));
  }
  table_.event_time.reset();
  Start();
  EXPECT_EQ(Run(), Source::kUntilWoken);
  EXPECT_EQ(transport_->undecided_count(), 3);
  while (transport_->Decide(1) > 0) {
    Run();
    EXPECT_LE(transport_->undecided_count(), 3);
  }
  EXPECT_EQ(Keys(0).size(), 20);
}

TEST_F(FileSourceTest, ReadsAheadOfWhatItCommits) {
  limits_ = {.block_bytes = 64, .decoder_threads = 2, .blocks_ahead_max = 3};
  for (int i = 0; i < 20; ++i) {
    Append("/in/a.log", Line(i));
  }
  table_.event_time.reset();
  Start();
  ASSERT_TRUE(source_->Step());
  EXPECT_EQ(Keys(0).size(), 1);
  EXPECT_EQ(source_->status().blocks_ahead, 3);
  EXPECT_EQ(source_->status().records, 1);
  Run();
  EXPECT_EQ(Keys(0).size(), 20);
  EXPECT_EQ(source_->status().blocks_ahead, 0);
}

TEST_F(FileSourceTest, TakesEachRecordOnceWhateverIsReadAhead) {
  constexpr int kFiles = 5;
  constexpr int kLines = 30;
  table_.partitions = 1;
  for (int line = 0; line < kLines; ++line) {
    for (int file = 0; file < kFiles; ++file) {
      Append(fmt::format("/in/{}.log", file),
             Line(line * (file + 1), fmt::format("{}-{:02}", file, line)));
    }
  }
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    transport_ = MemoryTransport::Delayed();
    transport_->SetProbabilities(seed, {.aborted = 0.05});
    limits_ = {.block_bytes = 64 + rng.Below(200),
               .readers_max = 1 + rng.Below(3),
               .decoder_threads = 2,
               .blocks_ahead_max = 1 + rng.Below(6)};
    Start();
    for (int step = 0; step < 600; ++step) {
      ASSERT_TRUE(source_->Step());
      if (rng.Below(3) == 0) {
        transport_->Decide(1 + rng.Below(4));
      }
      if (rng.Below(100) == 0) {
        transport_->Decide();
        Crash();
        Start();
      }
    }
    transport_->SetProbabilities(seed, {});
    while (transport_->Decide() > 0 || Run() != Source::kUntilWoken ||
           transport_->undecided_count() > 0) {
    }
    EXPECT_EQ(source_->status().state, State::kEnded);
    source_.reset();
    const std::vector<std::string> keys = Keys(0);
    EXPECT_EQ(keys.size(), kFiles * kLines);
    for (int file = 0; file < kFiles; ++file) {
      std::vector<std::string> of_file;
      std::ranges::copy_if(keys, std::back_inserter(of_file), [&](const std::string& key) {
        return key.starts_with(std::to_string(file));
      });
      EXPECT_TRUE(std::ranges::is_sorted(of_file)) << "file " << file;
    }
  }
}

TEST_F(FileSourceTest, WaitsWhileTheDiskIsFull) {
  Append("/in/a.log", Line(1, "a"));
  Start();
  transport_->SetDiskFull(true);
  EXPECT_EQ(Run(), seconds(1));
  EXPECT_THAT(Keys(0), IsEmpty());
  transport_->SetDiskFull(false);
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a"));
}

TEST_F(FileSourceTest, RefusesABoundedInputThatIsNotThere) {
  EXPECT_EQ(StartError().code(), ErrorCode::kSourceUnavailable);
  EXPECT_FALSE(StartError().hint().empty());
  options_.path = "/in";
  EXPECT_EQ(StartError().code(), ErrorCode::kSourceUnavailable);
  EXPECT_THAT(StartError().message(), HasSubstr("a directory"));
  options_.mode = FileMode::kFollow;
  options_.path = "/in/to-come.log";
  Start();
}

TEST_F(FileSourceTest, TriesAFileThatIsGoneAgain) {
  Append("/in/a.log", Line(1, "a"));
  Append("/in/b.log", Line(1, "b"));
  Start();
  ASSERT_TRUE(source_->Step());  // Both are known, one is open.
  Rename("/in/b.log", "/elsewhere");
  EXPECT_GT(Run(), std::chrono::nanoseconds(0));
  EXPECT_THAT(Keys(0), ElementsAre("a"));
  EXPECT_EQ(source_->status().splits_unavailable, 1);
  ASSERT_TRUE(source_->status().error);
  EXPECT_EQ(source_->status().error->code(), ErrorCode::kFileNotFound);
  Rename("/elsewhere", "/in/b.log");
  Wait(seconds(60));
  EXPECT_THAT(Keys(0), ElementsAre("a", "b"));
  EXPECT_EQ(source_->status().state, State::kEnded);
}

TEST_F(FileSourceTest, GivesUpAFileThatWasReplacedMeanwhile) {
  limits_.block_bytes = 64;
  Append("/in/a.log", Line(1, "a") + Line(2, "b"));
  Append("/in/c.log", Line(9, "c"));
  Start();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(source_->Step());
  }
  EXPECT_THAT(Keys(0), ElementsAre("a", "c"));
  Crash();
  Replace("/in/a.log", Line(1, "x") + Line(2, "y"));
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a", "c"));
  EXPECT_THAT(Errors(), ElementsAre("4014 "));
  EXPECT_EQ(source_->status().state, State::kEnded);
}

TEST_F(FileSourceTest, TriesAgainAfterAnErrorOfTheDisk) {
  Append("/in/a.log", Line(1, "a"));
  Start();
  files_.SetFaults({.read_errors = {.first = 1, .count = 3}});
  EXPECT_GT(Run(), std::chrono::nanoseconds(0));
  Wait(seconds(60));
  EXPECT_THAT(Keys(0), ElementsAre("a"));
}

// Bad input

TEST_F(FileSourceTest, MakesErrorRowsOfBadLinesWithTheirPlace) {
  const std::string bad_utf8 = "{\"k\":\"\xff\"}";
  Append("/in/a.log", Line(1, "a") + "nonsense\n" + bad_utf8 + "\n{\"n\":1}\n" + Line(2, "b"));
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a", "b"));
  EXPECT_THAT(Errors(), ElementsAre("4001 nonsense", "4005 " + bad_utf8, R"(4002 {"n":1})"));
  EXPECT_THAT(ErrorMessages().front(),
              HasSubstr(fmt::format("(/in/a.log at byte {})", Line(1, "a").size())));
  EXPECT_EQ(source_->status().errors, 3);
}

TEST_F(FileSourceTest, NamesThePlaceOfALineWhoseGeneratedColumnFails) {
  const DataType bigint = DataType::Of(TypeId::kInt64);
  const ScalarFunction& divide = GetFunction("/", std::array{TypeId::kInt64, TypeId::kInt64});
  std::vector<Field> fields = table_.schema->fields();
  fields.push_back({.name = "share", .type = bigint});
  table_.schema = MakeSchema(std::move(fields));
  table_.generated = {{.column = 3,
                       .expression = MakeCall(divide, {MakeLiteral(Value(int64_t{100}), bigint),
                                                       MakeColumn(2, bigint, true)})}};
  Append("/in/a.log", Line(1, "a") + "nonsense\n" + Line(2, "b", 0) + Line(3, "c"));
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a", "c"));
  EXPECT_THAT(ErrorMessages(),
              ElementsAre(HasSubstr(fmt::format("(/in/a.log at byte {})", Line(1).size())),
                          HasSubstr(fmt::format("MR3001 division by zero (/in/a.log at byte {})",
                                                Line(1).size() + 9))));
}

TEST_F(FileSourceTest, KeepsTheBeginningOfLinesThatAreTooLong) {
  limits_.block_bytes = 4096;
  ingest_options_.json.record_bytes_max = 10'000;
  const std::string over_block(50'000, 'x');
  const std::string in_block = std::string(5000, 'y');
  const std::string far_over(3'000'000, 'z');
  for (const bool last : {false, true}) {
    Append(last ? "/in/b.log" : "/in/a.log",
           fmt::format("{}{}\n{}{}\n{}{}{}", Line(1, "a"), over_block, Line(2, "b"), in_block,
                       Line(3, "c"), far_over, last ? "" : "\n" + Line(4, "d")));
  }
  Start();
  Run();
  EXPECT_THAT(Keys(), ElementsAre("a", "a", "b", "b", "c", "c", "d"));
  EXPECT_THAT(Errors(),
              testing::UnorderedElementsAre(
                  "4007 " + over_block.substr(0, 4096), "4001 " + in_block,
                  "4007 " + far_over.substr(0, 4096), "4007 " + over_block.substr(0, 4096),
                  "4001 " + in_block, "4007 " + far_over.substr(0, 4096)));
  EXPECT_THAT(ErrorMessages(), testing::Contains(HasSubstr("3000000 bytes (/in/a.log at byte")));
}

TEST_F(FileSourceTest, ShortensALongRecordWithinABlock) {
  ingest_options_.json.record_bytes_max = 5000;
  const std::string line = "{\"k\":\"" + std::string(6000, 'x') + "\"}";
  Append("/in/a.log", line + "\n" + Line(1, "a"));
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a"));
  EXPECT_THAT(Errors(), ElementsAre("4007 " + line.substr(0, 4096)));
  EXPECT_THAT(ErrorMessages(), ElementsAre(HasSubstr("6008 bytes")));
}

TEST_F(FileSourceTest, ReadsLinesWithAPattern) {
  options_.format = FileFormat::kRegex;
  options_.pattern = R"((?<at>\S+ \S+) (?<k>\w+)(?: (?<n>\d+))?)";
  Append("/in/a.log", "2026-01-01 00:01:00 install 7\nwhat?\n2026-01-01 00:02:00 remove\n");
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("install", "remove"));
  EXPECT_THAT(Errors(), ElementsAre("4011 what?"));
  EXPECT_THAT(Frames(0), testing::Contains("2 rows <=00:02"));
}

// gzip

TEST_F(FileSourceTest, ReadsGzipByItsContent) {
  Append("/in/a.gz", Gzip(Line(1, "a1") + Line(2, "a2")) + Gzip(Line(3, "a3")) + std::string(9, 0));
  Append("/in/b.log", Gzip(Line(1, "b1").substr(0, Line(1, "b1").size() - 1)));
  limits_.block_bytes = 64;
  Start();
  Run();
  EXPECT_THAT(Keys(), ElementsAre("a1", "a2", "a3", "b1"));
  EXPECT_THAT(Errors(), IsEmpty());
}

TEST_F(FileSourceTest, TakesUpAGzipFileInItsMiddle) {
  limits_.block_bytes = 64;
  Append("/in/a.gz", Gzip(Line(1, "a1") + Line(2, "a2") + Line(3, "a3")));
  Start();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(source_->Step());
  }
  EXPECT_THAT(Keys(0), ElementsAre("a1", "a2"));
  Crash();
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a1", "a2", "a3"));
}

TEST_F(FileSourceTest, TakesWhatStandsBeforeTheDamageOfAGzipFile) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) {
    lines += Line(i % 60, fmt::format("{}", i * 7919 % 10'007));
  }
  const std::string whole = Gzip(lines);
  std::string wrong_checksum = Gzip(Line(1, "checksum"));
  wrong_checksum[wrong_checksum.size() - 8] ^= 1;
  Append("/in/checksum.gz", wrong_checksum);
  Append("/in/cut.gz", whole.substr(0, whole.size() / 2));
  Append("/in/none.gz", "this is not gzip");
  Append("/in/ok.log", Line(1, "ok"));
  Start();
  Run();
  EXPECT_GT(Keys(0).size(), 5000);
  EXPECT_LT(Keys(0).size(), 15'000);
  EXPECT_THAT(Keys(0), testing::IsSupersetOf({"ok", "checksum"}));
  EXPECT_THAT(Errors(),
              testing::UnorderedElementsAre(testing::StartsWith("4012 {"), "4012 ", "4012 "));
  EXPECT_EQ(source_->status().state, State::kEnded);
}

}  // namespace
}  // namespace millrace
