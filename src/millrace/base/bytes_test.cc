#include "millrace/base/bytes.h"

#include <gtest/gtest.h>

#include "millrace/base/checksum.h"

namespace millrace {
namespace {

TEST(Bytes, ReaderReadsWhatTheWriterWrote) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(uint32_t{0});
  writer.PutString("text");
  writer.Put(int64_t{-5});
  writer.Patch(0, static_cast<uint32_t>(writer.size()));
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Get<uint32_t>().value(), bytes.size());
  EXPECT_EQ(reader.GetString().value(), "text");
  EXPECT_EQ(reader.Get<int64_t>().value(), -5);
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(Bytes, ReaderRefusesToReadBehindTheEnd) {
  Bytes bytes;
  ByteWriter(bytes).Put(uint32_t{1'000'000});
  EXPECT_EQ(ByteReader(bytes).Get<uint64_t>().error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(ByteReader(bytes).GetString().error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(ByteReader(bytes).GetBytes(5).error().code(), ErrorCode::kCorruption);
}

// The numbers are those of the reference implementation: formats on disk depend on them.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(Xxh3(std::string_view()), 0x2d06800538d394c2U);
  EXPECT_EQ(Xxh3(std::string_view("a")), 0xe6c632b61e964e1fU);
  EXPECT_EQ(Xxh3(AsBytes("a")), Xxh3(std::string_view("a")));
  EXPECT_NE(Xxh3(AsBytes("a"), 1), Xxh3(AsBytes("a"), 2));
}

}  // namespace
}  // namespace millrace
