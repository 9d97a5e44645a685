// CSV files through the file source.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/connect/file/file_source.h"
#include "millrace/connect/file/file_source_testing.h"

namespace millrace {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = SourceStatus::State;

class CsvSourceTest : public FileSourceTest {
 protected:
  CsvSourceTest() { options_.format = FileFormat::kCsv; }

  static constexpr std::string_view kHeader = "n,at,k\n";

  static std::string Record(int minute, std::string_view key, int64_t n = 1) {
    return fmt::format("{},2026-01-01 {:02}:{:02}:00,{}\n", n, minute / 60, minute % 60, key);
  }

  /// Keys with line ends, quotes and delimiters, and what stands for them.
  static std::pair<std::string, std::string> RandomKey(Rng& rng, int number) {
    std::string key = fmt::format("{}", number);
    std::string field = "\"" + key;
    for (uint64_t i = rng.Below(6); i > 0; --i) {
      constexpr std::string_view kTexts[] = {"\n", "\r\n", ",", "\"", "text", "\n2,\"x\n"};
      const std::string_view text = kTexts[rng.Below(std::size(kTexts))];
      key += text;
      for (const char c : text) {
        field += c == '"' ? "\"\"" : std::string(1, c);
      }
    }
    return {key, field + "\""};
  }
};

TEST_F(CsvSourceTest, ReadsFilesEachByItsOwnHeader) {
  Append("/in/a.csv", "\xEF\xBB\xBF" + std::string(kHeader) + Record(1, "a1") + Record(2, "a2"));
  Append("/in/b.csv", "\"k\",x,n,at\r\n\"b,1\",,7,2026-01-01 00:03:00\r\n");
  Append("/in/c.csv", Gzip(std::string(kHeader) + Record(4, "c")));
  Append("/in/d.csv", kHeader);
  Append("/in/e.csv", "");
  Start();
  Run();
  EXPECT_THAT(Keys(), ElementsAre("a1", "a2", "b,1", "c"));
  EXPECT_THAT(Errors(), IsEmpty());
  EXPECT_EQ(source_->status().state, State::kEnded);
  EXPECT_EQ(Frames(0).back(), "end");
}

TEST_F(CsvSourceTest, GoesOnAtTheBeginOfARecordAfterEveryCrash) {
  Rng rng(5);
  limits_.block_bytes = 64;
  std::vector<std::string> expected;
  std::string file(kHeader);
  for (int i = 10; i < 60; ++i) {
    const auto [key, field] = RandomKey(rng, i);
    expected.push_back(key);
    file += Record(i, field);
  }
  Append("/in/a.csv", file);
  int crashes = 0;
  for (; crashes < 500; ++crashes) {
    Start();
    if (source_->status().state == State::kEnded) {
      break;
    }
    for (int i = 0; i < 1 + crashes % 3; ++i) {
      ASSERT_TRUE(source_->Step());
    }
    Crash();
  }
  EXPECT_GT(crashes, 20);
  EXPECT_EQ(Keys(0), expected);
  EXPECT_THAT(Errors(), IsEmpty());
}

TEST_F(CsvSourceTest, TakesUpAGzipFileInItsMiddle) {
  limits_.block_bytes = 50;
  std::string file(kHeader);
  for (int i = 10; i < 30; ++i) {
    file += Record(i, fmt::format("\"k\n{}\"", i));
  }
  Append("/in/a.csv.gz", Gzip(file));
  Start();
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(source_->Step());
  }
  Crash();
  Start();
  Run();
  EXPECT_EQ(Keys(0).size(), 20U);
  EXPECT_EQ(Keys(0)[7], "k\n17");
}

TEST_F(CsvSourceTest, FollowsAFileThatGrowsWithinARecord) {
  options_.mode = FileMode::kFollow;
  const std::string file = std::string(kHeader) + Record(1, "\"a\n\"\"b\"\"\n\"") + Record(2, "c") +
                           Record(3, "\"d\n\"");
  std::string written;
  Start();
  for (const char c : file) {
    Append("/in/a.csv", std::string(1, c));
    Wait(seconds(1));
    if (written.size() % 7 == 0) {
      Crash();
      Start();
    }
    written += c;
  }
  EXPECT_THAT(Keys(0), ElementsAre("a\n\"b\"\n", "c", "d\n"));
  Rename("/in/a.csv", "/in/a.csv.1");
  Append("/in/a.csv", "k,n,at\n" + std::string("\"e\",1,2026-01-01 00:04:00\n"));
  Wait(seconds(30));
  EXPECT_THAT(Keys(), ElementsAre("a\n\"b\"\n", "c", "d\n", "e"));
  EXPECT_THAT(Errors(), IsEmpty());
}

TEST_F(CsvSourceTest, MakesErrorRowsOfBadRecordsWithTheirPlace) {
  const std::string before = std::string(kHeader) + Record(1, "\"a\nb\"");
  Append("/in/a.csv", before + "1,2\n" + Record(2, "\"x\"y") + "x,,k\n" + Record(3, "c") +
                          "1,,\"no end\n2,,z\n");
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("a\nb", "c"));
  // With the header, by which a replay can read them.
  const auto error = [](int code, std::string_view record) {
    return fmt::format("{} {}{}", code, kHeader, record);
  };
  EXPECT_THAT(Errors(), ElementsAre(error(4001, "1,2"), error(4001, "1,2026-01-01 00:02:00,\"x\"y"),
                                    error(4003, "x,,k"), error(4001, "1,,\"no end\n2,,z")));
  const auto messages = ErrorMessages();
  EXPECT_THAT(messages[0], HasSubstr(fmt::format("2 fields instead of 3 (/in/a.csv at byte {})",
                                                 before.size())));
  EXPECT_THAT(messages[1],
              HasSubstr(fmt::format("text behind a closing quote (/in/a.csv at byte {})",
                                    before.size() + 4)));
  EXPECT_THAT(messages[3], HasSubstr("a quoted field does not end (/in/a.csv at byte"));
}

TEST_F(CsvSourceTest, PassesOverRecordsThatAreTooLongToTheirEnd) {
  limits_.block_bytes = 4096;
  ingest_options_.json.record_bytes_max = 10'000;
  std::string text;
  for (int i = 0; i < 300'000; ++i) {
    text += "1,,x\n";
  }
  const std::string quoted = Record(2, "\"" + text + "\"\"\"");
  const std::string plain = Record(4, std::string(2'000'000, 'y'));
  Append("/in/a.csv",
         std::string(kHeader) + Record(1, "a") + quoted + Record(3, "b") + plain + Record(5, "c"));
  Append("/in/b.csv", std::string(kHeader) + Record(6, "d") + "1,,\"" + text);
  Start();
  Run();
  EXPECT_THAT(Keys(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Errors(), testing::UnorderedElementsAre("4007 " + quoted.substr(0, 4096),
                                                      "4007 " + plain.substr(0, 4096),
                                                      "4007 " + ("1,,\"" + text).substr(0, 4096)));
  EXPECT_THAT(ErrorMessages(),
              testing::Contains(HasSubstr(fmt::format("{} bytes", quoted.size() - 1))));
}

TEST_F(CsvSourceTest, GivesUpAFileWhoseHeaderIsTooLong) {
  limits_.block_bytes = 4096;
  ingest_options_.json.record_bytes_max = 5000;
  Append("/in/a.csv", "k," + std::string(20'000, 'x') + "\n1,2\n");
  Append("/in/b.csv", std::string(kHeader) + Record(1, "b"));
  Start();
  Run();
  EXPECT_THAT(Keys(), ElementsAre("b"));
  ASSERT_EQ(ErrorMessages().size(), 1U);
  EXPECT_THAT(ErrorMessages()[0], HasSubstr("the header has"));
  EXPECT_EQ(source_->status().state, State::kEnded);
}

TEST_F(CsvSourceTest, TakesColumnsInOrderWithoutAHeader) {
  options_.header = false;
  options_.delimiter = "tab";
  options_.quote = "";
  options_.null_text = "\\N";
  Append("/in/a.csv", "2026-01-01 00:01:00\t\"a\t7\n\\N\tb\t\\N\n");
  Start();
  Run();
  EXPECT_THAT(Keys(0), ElementsAre("\"a", "b"));
}

}  // namespace
}  // namespace millrace
