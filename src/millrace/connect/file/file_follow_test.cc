// Followed files: growth, rotation, and what becomes of the watermark.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/connect/file/file_source_testing.h"

namespace millrace {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FileFollowTest : public FileSourceTest {
 protected:
  FileFollowTest() { options_.mode = FileMode::kFollow; }

  void Poll() { Wait(options_.poll_interval); }
  /// Several lines, so that heads and tails say something.
  std::string Lines(int first, int count, const std::string& key) {
    std::string lines;
    for (int i = first; i < first + count; ++i) {
      lines += Line(i, key + std::to_string(i));
    }
    return lines;
  }
  /// What Lines gave, as keys.
  static std::vector<std::string> Expect(int first, int count, const std::string& key) {
    std::vector<std::string> keys;
    for (int i = first; i < first + count; ++i) {
      keys.push_back(key + std::to_string(i));
    }
    return keys;
  }
};

TEST_F(FileFollowTest, ReadsWhatIsAppendedAndWaitsForTheEndOfALine) {
  Start();
  Run();
  Append("/in/a.log", Line(1, "a"));
  Poll();
  EXPECT_THAT(Keys(0), ElementsAre("a"));
  const std::string line = Line(2, "b");
  Append("/in/a.log", line.substr(0, 10));
  Poll();
  EXPECT_THAT(Keys(0), ElementsAre("a"));
  Append("/in/a.log", line.substr(10) + Line(3, "c"));
  Poll();
  EXPECT_THAT(Keys(0), ElementsAre("a", "b", "c"));
  EXPECT_EQ(source_->status().state, SourceStatus::State::kWaiting);
  Start();
  Run();
  Append("/in/a.log", Line(4, "d"));
  Poll();
  EXPECT_THAT(Keys(0), ElementsAre("a", "b", "c", "d"));
}

TEST_F(FileFollowTest, FollowsARenamedFileAndItsSuccessor) {
  Append("/in/log", Lines(0, 5, "a"));
  Start();
  Run();
  Append("/in/log", Lines(5, 2, "a"));
  Rename("/in/log", "/in/log.1");
  Append("/in/log", Lines(10, 3, "b"));
  Poll();
  Append("/in/log.1", Lines(7, 1, "a"));  // By a writer that has it open still.
  Poll();
  EXPECT_THAT(Keys(0), UnorderedElementsAre("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "b10",
                                            "b11", "b12"));
}

TEST_F(FileFollowTest, ReadsARenamedFileToItsEndWhereNoNameIsLeft) {
  limits_.block_bytes = 64;
  options_.path = "/in/log";
  Append("/in/log", Lines(0, 8, "a"));
  Start();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(source_->Step());
  }
  Remove("/in/log");
  Append("/in/log", Lines(10, 1, "b"));
  Poll();
  EXPECT_THAT(Keys(), ElementsAre("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "b10"));
}

TEST_F(FileFollowTest, KnowsACompressedFileAgain) {
  for (const bool restart : {false, true}) {
    SCOPED_TRACE(restart);
    const std::string name = restart ? "/in/x" : "/in/y";
    const std::string key = restart ? "x" : "y";
    Append(name + ".1", Lines(0, 30, key));
    Start();
    Run();
    Append(name + ".1", Lines(30, 5, key));  // Not read before it is compressed.
    const std::string zipped = Gzip(Content(name + ".1"));
    if (restart) {
      Crash();
    }
    Remove(name + ".1");
    Append(name + ".2.gz", zipped);
    if (restart) {
      Start();
    }
    Run();
    Wait(seconds(30));
    auto keys = Keys(0);
    std::erase_if(keys, [&](const std::string& k) { return !k.starts_with(key); });
    EXPECT_EQ(keys, Expect(0, 35, key));
    Rename(name + ".2.gz", name + ".3.gz");
    Wait(seconds(30));
    Start();
    Run();
    Wait(seconds(30));
    keys = Keys(0);
    std::erase_if(keys, [&](const std::string& k) { return !k.starts_with(key); });
    EXPECT_EQ(keys.size(), 35);
  }
}

TEST_F(FileFollowTest, WaitsForACompressedCopyThatIsBeingWritten) {
  Append("/in/log.1", Lines(0, 30, "a"));
  Start();
  Run();
  const std::string zipped = Gzip(Content("/in/log.1"));
  for (size_t at = 0; at < zipped.size(); at += 40) {
    Append("/in/log.2.gz", zipped.substr(at, 40));
    Poll();
  }
  Remove("/in/log.1");
  Wait(seconds(30));
  EXPECT_EQ(Keys(0), Expect(0, 30, "a"));
  EXPECT_THAT(Errors(), IsEmpty());
}

TEST_F(FileFollowTest, KnowsTheCopyOfATruncatedFile) {
  for (const bool poll_between : {false, true}) {
    SCOPED_TRACE(poll_between);
    const std::string key = poll_between ? "p" : "n";
    const std::string log = "/in/log-" + key;
    Append(log, Lines(0, 30, key));
    Start();
    Run();
    Append(log, Lines(30, 5, key));
    Append(log + ".1", Content(log));
    if (poll_between) {
      Poll();
    }
    Truncate(log);
    if (poll_between) {
      Poll();
    }
    Append(log, Lines(50, 40, key));  // More than it was.
    Wait(seconds(5));
    auto keys = Keys(0);
    std::erase_if(keys, [&](const std::string& k) { return !k.starts_with(key); });
    std::ranges::sort(keys);
    auto expected = Expect(0, 35, key);
    const auto more = Expect(50, 40, key);
    expected.insert(expected.end(), more.begin(), more.end());
    std::ranges::sort(expected);
    EXPECT_EQ(keys, expected);
  }
}

TEST_F(FileFollowTest, TellsOfATruncationWithoutACopy) {
  Append("/in/log", Lines(0, 5, "a"));
  Start();
  Run();
  Truncate("/in/log");
  Append("/in/log", Line(10, "b"));
  Poll();
  EXPECT_THAT(Keys(0), ElementsAre("a0", "a1", "a2", "a3", "a4", "b"));
  ASSERT_TRUE(source_->status().error);
  EXPECT_EQ(source_->status().error->code(), ErrorCode::kSourceChanged);
}

TEST_F(FileFollowTest, ReadsACopyThatStaysBesideItsOriginal) {
  Append("/in/a", Lines(0, 5, "a"));
  Start();
  Run();
  Append("/in/b", Content("/in/a"));
  Wait(seconds(5));
  EXPECT_EQ(Keys(0).size(), 5);  // It may be a rotation.
  Wait(seconds(10));
  EXPECT_EQ(Keys(0).size(), 10);
}

TEST_F(FileFollowTest, LetsAFileThatRestsNoLongerHoldBackTheOthers) {
  Append("/in/a", Line(5, "a"));
  Append("/in/b", Line(9, "b"));
  Start();
  Run();
  EXPECT_THAT(Frames(0), ElementsAre("active", "1 rows <=-", "1 rows <=-", "watermark 00:05"));
  Wait(seconds(20));
  Append("/in/b", Line(11, "b"));
  Poll();
  EXPECT_EQ(Frames(0).back(), "1 rows <=-");  // a has promised 00:05 only.
  Wait(seconds(10));
  EXPECT_EQ(Frames(0).back(), "watermark 00:11");
  Wait(seconds(30));
  EXPECT_EQ(Frames(0).back(), "idle");
  const size_t frames = Frames(0).size();
  Wait(seconds(100));
  Start();
  Run();
  Wait(seconds(100));
  EXPECT_EQ(Frames(0).size(), frames);  // Nothing to say.
  Append("/in/a", Line(20, "a"));
  Poll();
  const auto after = Frames(0);
  EXPECT_THAT(std::vector<std::string>(after.end() - 2, after.end()),
              ElementsAre("active", "1 rows <=00:20"));
}

TEST_F(FileFollowTest, HoldsAllPartitionsBackForAFileNotReadYet) {
  table_.partitions = 2;
  Append("/in/a", Line(50, "a"));
  Append("/in/b", Line(1, "b") + Line(60, "b"));
  Start();
  Run();
  // Both partitions count from the start: no row of b is late because a was read first.
  EXPECT_THAT(Frames(0), ElementsAre("active", "1 rows <=00:50"));
  EXPECT_THAT(Frames(1), ElementsAre("active", "2 rows <=01:00"));
}

TEST_F(FileFollowTest, ReadsTheFileThatIsFurthestBehind) {
  limits_.block_bytes = 64;  // One line.
  Append("/in/a", Line(10, "a") + Line(30, "a") + Line(50, "a"));
  Append("/in/b", Line(20, "b") + Line(40, "b"));
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a", "b", "a", "b", "a"));
  EXPECT_THAT(Frames(0), ElementsAre("active", "1 rows <=-", "1 rows <=-", "watermark 00:10",
                                     "1 rows <=-", "watermark 00:20", "1 rows <=-",
                                     "watermark 00:30", "1 rows <=-", "watermark 00:40"));
}

}  // namespace
}  // namespace millrace
