#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/journal.h"
#include "millrace/stream/embedded/journal_reader.h"

namespace millrace {

/// A data directory on a simulated disk and a journal in it, for tests that read like a script:
/// write, damage, restart, expect.
class JournalTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kFileBytes = 2048;

  JournalTest() { Restart(); }

  /// Opens the directory anew; nothing is lost, and no journal is open.
  void Restart() {
    journal_.reset();
    directory_.reset();
    files_.Restart();
    auto opened = DataDirectory::Open(files_, "/data");
    ASSERT_TRUE(opened) << opened.error().ToString();
    directory_ = *std::move(opened);
    if (directory_->fresh()) {
      ASSERT_TRUE(directory_->Persist());
    }
  }

  void OpenJournal(Journal::Place place = {}) {
    journal_ = std::make_unique<Journal>(*directory_, kFileBytes, 1, place);
  }

  /// Starts a file whose full record sets the position of "reader".
  void StartFile(int64_t position) {
    const auto started = journal_->StartFile(PositionEntries(position), 0);
    ASSERT_TRUE(started) << started.error().ToString();
  }

  /// Appends a round that sets the position; returns the byte where its record begins.
  uint64_t AppendRound(int64_t position) {
    const uint64_t begin = end_of_file();
    const auto appended = journal_->AppendRound(PositionEntries(position), {});
    EXPECT_TRUE(appended) << appended.error().ToString();
    return begin;
  }

  /// Where the next record of the current file will stand.
  uint64_t end_of_file() {
    Restore();
    return replayed_.place.last_file_end;
  }

  /// The last position that reading the journal gives, or the error's text.
  std::string Read() {
    auto state = ReadJournal(*directory_);
    if (!state) {
      EXPECT_EQ(state.error().code(), ErrorCode::kCorruption);
      return state.error().message();
    }
    replayed_ = *std::move(state);
    return replayed_.positions.empty() ? "nothing"
                                       : fmt::format("{}", replayed_.positions.back().next);
  }

  void Damage(uint64_t file, uint64_t at, uint8_t mask = 1) {
    ASSERT_TRUE(files_.CorruptByte(directory_->JournalPath(file), at, mask));
  }

  static JournalEntries PositionEntries(int64_t position) {
    JournalEntries entries;
    entries.positions.push_back({"reader", StreamId(1), PartitionId(0), Offset(position)});
    return entries;
  }

  SimulatedFileSystem files_{1};
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<Journal> journal_;
  JournalState replayed_;

 private:
  void Restore() {
    auto state = ReadJournal(*directory_);
    ASSERT_TRUE(state) << state.error().ToString();
    replayed_ = *std::move(state);
  }
};

}  // namespace millrace
