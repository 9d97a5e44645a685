#include "millrace/stream/embedded/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

class DataDirectoryTest : public ::testing::Test {
 protected:
  ErrorCode CodeOfOpening() {
    auto opened = DataDirectory::Open(files_, "/data");
    message_ = opened ? "" : opened.error().message();
    return opened ? ErrorCode{} : opened.error().code();
  }

  void WriteIdentity(const std::string& text) {
    ASSERT_TRUE(files_.CreateDirectories("/data"));
    ASSERT_TRUE(ReplaceFile(files_, "/data/IDENTITY", text));
  }

  Result<std::unique_ptr<EmbeddedTransport>> OpenTransport() {
    EmbeddedTransport::Options options;
    options.manual = true;
    options.journal_file_bytes = 4096;
    return EmbeddedTransport::Open(files_, "/data", std::move(options));
  }

  SimulatedFileSystem files_{1};
  std::string message_;
};

TEST_F(DataDirectoryTest, KeepsItsIdentity) {
  uint64_t identity = 0;
  {
    auto first = *DataDirectory::Open(files_, "/data");
    EXPECT_TRUE(first->fresh());
    ASSERT_TRUE(first->Persist());
    EXPECT_FALSE(first->fresh());
    identity = first->identity();
  }
  const auto second = *DataDirectory::Open(files_, "/data");
  EXPECT_FALSE(second->fresh());
  EXPECT_EQ(second->identity(), identity);
}

TEST_F(DataDirectoryTest, RefusesASecondUser) {
  const auto first = *DataDirectory::Open(files_, "/data");
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kDataDirLocked);
}

TEST_F(DataDirectoryTest, RefusesANewerFormat) {
  WriteIdentity("millrace data directory, format 2\nidentity 00000000000000ff\n");
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kFormatTooNew);
}

TEST_F(DataDirectoryTest, RefusesADamagedIdentity) {
  for (const char* text :
       {"", "millrace data directory, format 1\nidentity 00000000000000f\n",
        "millrace data directory, format 0\nidentity 00000000000000ff\n", "something else\n"}) {
    WriteIdentity(text);
    EXPECT_EQ(CodeOfOpening(), ErrorCode::kCorruption) << text;
    EXPECT_THAT(message_, HasSubstr("/data/IDENTITY"));
  }
}

TEST_F(DataDirectoryTest, MissingIdentityBesideRoundsIsDamage) {
  {
    auto transport = *OpenTransport();
    ASSERT_TRUE(transport->CreateStream(
        {.name = "clicks", .partitions = 1, .schema = nullptr, .properties = {}}));
  }
  ASSERT_TRUE(files_.RemoveFile("/data/IDENTITY"));
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kCorruption);
  EXPECT_THAT(message_, HasSubstr("/data/journal/000000000001.jnl"));
  EXPECT_TRUE(files_.Info("/data/journal/000000000001.jnl"));
}

TEST_F(DataDirectoryTest, MissingIdentityBesideStreamsIsDamage) {
  ASSERT_TRUE(files_.CreateDirectories("/data/streams/clicks.1"));
  EXPECT_EQ(CodeOfOpening(), ErrorCode::kCorruption);
}

TEST_F(DataDirectoryTest, MakingThatWasCutShortBeginsAgain) {
  {
    auto transport = *OpenTransport();
  }
  ASSERT_TRUE(files_.RemoveFile("/data/IDENTITY"));
  EXPECT_TRUE(OpenTransport());
}

TEST_F(DataDirectoryTest, NamesOfStreamsBecomeSafe) {
  const auto directory = *DataDirectory::Open(files_, "/data");
  const StreamInfo stream{.id = StreamId(7),
                          .definition = {.name = "../a b", .schema = nullptr, .properties = {}}};
  EXPECT_EQ(directory->StreamDirectory(stream), "/data/streams/___a_b.7");
}

TEST_F(DataDirectoryTest, ReadsNumbersOfFiles) {
  EXPECT_EQ(NumberOfFile("000000000012.jnl", ".jnl"), 12U);
  EXPECT_EQ(NumberOfFile("spare.jnl", ".jnl"), std::nullopt);
  EXPECT_EQ(NumberOfFile("12.seg", ".jnl"), std::nullopt);
}

}  // namespace
}  // namespace millrace
