#include "millrace/stream/embedded/journal_reader.h"

#include <gmock/gmock.h>

#include "millrace/stream/embedded/journal_format.h"
#include "millrace/stream/embedded/journal_testing.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

using JournalReaderTest = JournalTest;

TEST_F(JournalReaderTest, ReadsWhatWasWritten) {
  OpenJournal();
  StartFile(1);
  AppendRound(2);
  AppendRound(3);
  Restart();
  EXPECT_EQ(Read(), "3");
  EXPECT_EQ(replayed_.place.next_file, 2U);
  EXPECT_EQ(replayed_.place.next_sequence, 4U);
}

TEST_F(JournalReaderTest, LastRoundThatIsDamagedIsATornTail) {
  OpenJournal();
  StartFile(1);
  AppendRound(2);
  const uint64_t last = AppendRound(3);
  Damage(1, last + 70);
  EXPECT_EQ(Read(), "2");
  EXPECT_EQ(replayed_.place.last_file_end, last);
  const auto text = *ReadWholeFile(files_, directory_->JournalPath(1), kFileBytes);
  EXPECT_EQ(text.find_first_not_of('\0', last), std::string::npos) << "the tail is zeros now";
}

TEST_F(JournalReaderTest, EachByteOfAnEarlierRecordIsChecked) {
  OpenJournal();
  StartFile(1);
  const uint64_t first = AppendRound(2);
  const uint64_t second = AppendRound(3);
  for (uint64_t at = 0; at < second; ++at) {
    const uint64_t unused = at < first ? first : second;
    if (at % 8 != 0 && at + 8 > unused) {
      continue;  // Bytes of alignment.
    }
    Damage(1, at, 0x10);
    EXPECT_THAT(Read(), HasSubstr(fmt::format("/data/journal/000000000001.jnl at byte {}",
                                              at < first ? 0 : first)))
        << at;
    Damage(1, at, 0x10);
  }
  EXPECT_EQ(Read(), "3");
}

TEST_F(JournalReaderTest, MarkTurnsATornTailIntoDamage) {
  OpenJournal();
  StartFile(1);
  const uint64_t last = AppendRound(2);
  ASSERT_TRUE(journal_->AppendMark());
  Damage(1, last + 20);
  EXPECT_THAT(Read(), HasSubstr(fmt::format("at byte {}", last)));
}

TEST_F(JournalReaderTest, MarkThatIsLostIsNoDamage) {
  OpenJournal();
  StartFile(1);
  AppendRound(2);
  const uint64_t mark = end_of_file();
  ASSERT_TRUE(journal_->AppendMark());
  AppendRound(3);
  for (uint64_t at = mark; at < mark + journal_format::kHeaderBytes; ++at) {
    Damage(1, at, 0xff);
  }
  EXPECT_EQ(Read(), "3");
}

TEST_F(JournalReaderTest, FileInTheMiddleThatIsMissingIsNamed) {
  OpenJournal();
  for (int64_t file = 1; file <= 3; ++file) {
    StartFile(file);
  }
  ASSERT_TRUE(files_.RemoveFile(directory_->JournalPath(2)));
  EXPECT_THAT(Read(), HasSubstr("000000000003.jnl"));
}

TEST_F(JournalReaderTest, LastFileThatIsMissingIsNamed) {
  OpenJournal();
  StartFile(1);
  StartFile(2);
  ASSERT_TRUE(files_.RemoveFile(directory_->JournalPath(2)));
  EXPECT_THAT(Read(), HasSubstr("/data/journal/000000000002.jnl at byte 0: missing"));
}

TEST_F(JournalReaderTest, NoFileAtAllIsDamage) {
  EXPECT_THAT(Read(), HasSubstr("no journal file holds a valid record"));
}

TEST_F(JournalReaderTest, FileWhoseMakingWasCutShortIsRemoved) {
  OpenJournal();
  StartFile(1);
  AppendRound(2);
  auto file = files_.Open(directory_->JournalPath(2), OpenMode::kCreate);
  ASSERT_TRUE((*file)->WriteAt(0, Bytes(100)));
  Restart();
  EXPECT_EQ(Read(), "2");
  EXPECT_EQ(replayed_.place.next_file, 2U);
  EXPECT_FALSE(files_.Info(directory_->JournalPath(2)));
}

TEST_F(JournalReaderTest, RecycledFileKeepsNothingOfItsFirstUse) {
  OpenJournal();
  StartFile(1);
  for (int64_t i = 2; i < 10; ++i) {
    AppendRound(i);
  }
  StartFile(10);
  ASSERT_TRUE(RetireJournal(*directory_, 1));
  StartFile(11);
  EXPECT_FALSE(files_.Info(directory_->SpareJournalPath()));
  AppendRound(12);
  Restart();
  EXPECT_EQ(Read(), "12");
  EXPECT_EQ(replayed_.place.last_file, 3U);
}

TEST_F(JournalReaderTest, CopiedFilesAreToBeRetired) {
  OpenJournal();
  StartFile(1);
  StartFile(2);
  StartFile(3);
  JournalEntries copied;
  copied.copied_journals = {1};
  ASSERT_TRUE(journal_->AppendRound(copied, {}));
  EXPECT_EQ(Read(), "1");
  EXPECT_EQ(replayed_.retired, std::vector<uint64_t>{1});
  EXPECT_TRUE(replayed_.frames.contains(2)) << "also a file without frames must be retired";
}

TEST_F(JournalReaderTest, RecordsOfAnotherDirectoryDoNotCount) {
  OpenJournal();
  StartFile(1);
  SimulatedFileSystem other_files(2);
  const auto other = *DataDirectory::Open(other_files, "/data");
  const auto text = *ReadWholeFile(files_, directory_->JournalPath(1), kFileBytes);
  auto file = *other_files.Open(other->JournalPath(1), OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, AsBytes(text)));
  EXPECT_FALSE(ReadJournal(*other));
}

TEST_F(JournalReaderTest, WhatAFailedSyncLeftIsWrittenAgain) {
  OpenJournal();
  StartFile(1);
  files_.SetFaults({.write_errors = {.first = files_.operations_count() + 2, .count = 1}});
  const auto failed = journal_->AppendRound(PositionEntries(2), {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kSyncFailed);
  Restart();
  EXPECT_EQ(Read(), "2");
  files_.Crash();
  Restart();
  EXPECT_EQ(Read(), "2");
}

}  // namespace
}  // namespace millrace
