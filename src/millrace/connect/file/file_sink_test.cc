#include "millrace/connect/file/file_sink.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/connect/sink_testing.h"

namespace millrace {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kDirectory = "/out/t";
constexpr const char* kManifest = "/out/t/MANIFEST.json";

/// All parts of a partition one after the other.
std::string PartsOf(FileSystem& files, uint32_t partition) {
  const auto entries = files.List(kDirectory);
  EXPECT_TRUE(entries);
  std::string text;
  for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>())) {
    if (entry.name.starts_with(fmt::format("part-{:04}-", partition))) {
      const auto part = ReadWholeFile(files, JoinPath(kDirectory, entry.name), uint64_t{1} << 30);
      EXPECT_TRUE(part);
      text += part.value_or("");
    }
  }
  return text;
}

class FileSinkTest : public SinkTest {
 protected:
  FileSinkTest() {
    table_.name = "t";
    table_.schema = stream_.definition.schema;
    make_ = [this]() -> Result<std::unique_ptr<Sink>> {
      return std::make_unique<FileSink>(sink_options_, table_, files_, kDirectory);
    };
  }

  std::string Content(const std::string& name) {
    const auto content = ReadWholeFile(files_, JoinPath(kDirectory, name), uint64_t{1} << 30);
    EXPECT_TRUE(content) << content.error().ToString();
    return content.value_or("");
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry :
         files_.List(kDirectory).value_or(std::vector<DirectoryEntry>())) {
      names.push_back(entry.name);
    }
    return names;
  }

  /// Lines of all parts of a partition, in order of their names.
  std::vector<std::string> Lines(uint32_t partition) {
    const std::string text = PartsOf(files_, partition);
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  TableDefinition table_;
  FileSinkOptions sink_options_;
  SimulatedFileSystem files_{1};
};

TEST_F(FileSinkTest, WritesPartsNamedAfterTheirOffsets) {
  Append(0, {"a", "b"});
  AppendControl(1, ControlFrame::Kind::kActive);
  Append(1, {"c"});
  Start();
  Wait(seconds(10));
  Append(0, {"d"}, 7);
  AppendControl(1, ControlFrame::Kind::kIdle);
  Wait(seconds(10));
  EXPECT_THAT(Names(), ElementsAre("MANIFEST.json",
                                   "part-0000-00000000000000000000-00000000000000000002.ndjson",
                                   "part-0000-00000000000000000002-00000000000000000003.ndjson",
                                   "part-0001-00000000000000000000-00000000000000000002.ndjson"));
  EXPECT_THAT(Lines(0),
              ElementsAre(R"({"k":"a","n":1})", R"({"k":"b","n":2})", R"({"k":"d","n":7})"));
  EXPECT_THAT(Lines(1), ElementsAre(R"({"k":"c","n":1})"));
  EXPECT_EQ(Content("MANIFEST.json"),
            "{\"version\":1,\"table\":\"t\",\"positions\":{\"0\":3,\"1\":3}}\n");
}

TEST_F(FileSinkTest, WritesCsvWithAHeaderInEachPart) {
  sink_options_.format = FileSinkFormat::kCsv;
  sink_options_.null_text = "NULL";
  Append(0, {"a,b"});
  Start();
  Wait(seconds(10));
  Append(0, {"NULL"});
  Wait(seconds(10));
  EXPECT_THAT(Names(),
              testing::Contains("part-0000-00000000000000000000-00000000000000000001.csv"));
  EXPECT_THAT(Lines(0), ElementsAre("k,n", "\"a,b\",1", "k,n", "\"NULL\",1"));
}

TEST_F(FileSinkTest, SaysWhatIsTakenBackOrStops) {
  Append(0, {"a"}, 1, -1);
  Start();
  const auto next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkRetraction);
  sink_options_.change_column = "op";
  Append(0, {"b"}, 1, 2);
  Start();
  Wait(seconds(10));
  EXPECT_THAT(Lines(0),
              ElementsAre(R"({"op":"delete","k":"a","n":1})", R"({"op":"insert","k":"b","n":1})",
                          R"({"op":"insert","k":"b","n":1})"));
  sink_options_.format = FileSinkFormat::kCsv;
  Append(1, {"c"}, 1, -1);
  Start();
  Wait(seconds(10));
  EXPECT_THAT(Lines(1), ElementsAre("op,k,n", "delete,c,1"));
}

TEST_F(FileSinkTest, RefusesADirectoryThatIsNotItsOwn) {
  Append(0, {"a"});
  Start();
  Wait(seconds(10));
  table_.name = "other";
  Start();
  auto next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkMismatch);
  table_.name = "t";
  ASSERT_TRUE(files_.RemoveFile(kManifest));
  Start();
  next = runner_->Step();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), ErrorCode::kSinkMismatch);
  EXPECT_THAT(next.error().message(), HasSubstr("and no MANIFEST.json"));
}

TEST_F(FileSinkTest, RefusesADamagedManifest) {
  for (const auto& [text, code] : std::initializer_list<std::pair<const char*, ErrorCode>>{
           {"", ErrorCode::kCorruption},
           {"{\"version\":1,\"table\":\"t\"}", ErrorCode::kCorruption},
           {"{\"version\":1,\"table\":\"t\",\"positions\":{\"x\":1}}", ErrorCode::kCorruption},
           {"{\"version\":1,\"table\":\"t\",\"positions\":{\"0\":-1}}", ErrorCode::kCorruption},
           {"{\"version\":2}", ErrorCode::kFormatTooNew}}) {
    ASSERT_TRUE(files_.CreateDirectories(kDirectory));
    ASSERT_TRUE(ReplaceFile(files_, kManifest, text));
    Start();
    const auto next = runner_->Step();
    ASSERT_FALSE(next) << text;
    EXPECT_EQ(next.error().code(), code) << text;
  }
}

TEST_F(FileSinkTest, LeavesFilesAloneThatAreNoParts) {
  ASSERT_TRUE(files_.CreateDirectories(kDirectory));
  for (const char* name : {"README", "part-1-2-3.ndjson", "part-0000-x.csv"}) {
    ASSERT_TRUE(files_.Open(JoinPath(kDirectory, name), OpenMode::kCreate));
  }
  Append(0, {"a"});
  Start();
  Wait(seconds(10));
  Start();
  Wait(seconds(10));
  EXPECT_EQ(Names().size(), 5U);
}

/// One life after the other, each of which ends at another operation of the disk: whatever
/// survives, every row is there once.
TEST_F(FileSinkTest, HasEveryRowOnceHoweverItCrashes) {
  options_.flush_bytes = 60;  // Rows of about 15 bytes.
  uint64_t crashes = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    for (uint64_t operation = 1; operation < 60; ++operation) {
      runner_.reset();
      transport_ = MemoryTransport::Immediate();
      stream_.id = *transport_->CreateStream(stream_.definition);
      auto files = std::make_unique<SimulatedFileSystem>(seed);
      make_ = [&]() -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<FileSink>(sink_options_, table_, *files, kDirectory);
      };
      std::array<int64_t, 2> appended{};
      for (int life = 0; life < 3; ++life) {
        // The first life crashes where the loop says, the second one somewhere behind, the last
        // one not.
        if (life < 2) {
          files->SetFaults({.crash_at = life == 0 ? operation : 1 + (operation * 7 + seed) % 23});
        }
        Start();
        for (int i = 0; i < 12 && !files->crashed(); ++i) {
          const auto partition = static_cast<uint32_t>(i % 2);
          Append(partition, {"x", "x"}, appended[partition]);
          appended[partition] += 2;
          clock_.Advance(seconds(3));
          ASSERT_TRUE(runner_->Step());
        }
        crashes += files->crashed() ? 1 : 0;
        runner_.reset();
        files->Crash();
        files->Restart();
      }
      Start();
      Wait(seconds(30));
      runner_.reset();
      for (uint32_t p = 0; p < 2; ++p) {
        std::string expected;
        for (int64_t n = 0; n < appended[p]; ++n) {
          expected += fmt::format("{{\"k\":\"x\",\"n\":{}}}\n", n);
        }
        ASSERT_EQ(PartsOf(*files, p), expected)
            << "seed " << seed << ", operation " << operation << "\n"
            << files->Trace();
      }
    }
  }
  EXPECT_GT(crashes, 1500U);
}

TEST_F(FileSinkTest, GoesOnAfterErrorsOfTheDisk) {
  options_.flush_bytes = 60;
  for (uint64_t operation = 1; operation < 40; ++operation) {
    runner_.reset();
    transport_ = MemoryTransport::Immediate();
    stream_.id = *transport_->CreateStream(stream_.definition);
    SimulatedFileSystem files(operation);
    make_ = [&]() -> Result<std::unique_ptr<Sink>> {
      return std::make_unique<FileSink>(sink_options_, table_, files, kDirectory);
    };
    const OperationRange some{.first = operation, .count = 1 + operation % 3};
    files.SetFaults(operation % 2 == 0 ? FaultPlan{.disk_full = some}
                                       : FaultPlan{.write_errors = some});
    Start();
    for (int i = 0; i < 10; ++i) {
      Append(0, {"x", "x"}, i * 2);
      Wait(seconds(1));
    }
    Wait(seconds(60));
    EXPECT_EQ(runner_->status().rows_behind, 0) << operation;
    EXPECT_EQ(runner_->status().state, SinkStatus::State::kWaiting);
    const std::string text = PartsOf(files, 0);
    EXPECT_EQ(std::ranges::count(text, '\n'), 20) << operation;
    runner_.reset();
  }
}

}  // namespace
}  // namespace millrace
