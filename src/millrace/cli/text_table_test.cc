#include "millrace/cli/text_table.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TextTable, AlignsColumns) {
  TextTable table({"NAME", "ROWS", "STATE"});
  table.Add({"a", "12", "running"});
  table.Add(
      {"stra\xC3\x9F"
       "e",
       "-", "failed"});
  EXPECT_EQ(table.ToString(),
            "NAME    ROWS  STATE\n"
            "a         12  running\n"
            "stra\xC3\x9F"
            "e     -  failed\n");
}

TEST(TextTable, ShortensNumbers) {
  EXPECT_EQ(ShortCount(0), "0");
  EXPECT_EQ(ShortCount(999), "999");
  EXPECT_EQ(ShortCount(12'345), "12.3 k");
  EXPECT_EQ(ShortCount(4'000'000), "4.0 M");
  EXPECT_EQ(ShortBytes(512), "512 B");
  EXPECT_EQ(ShortBytes(3.25 * 1024), "3.2 KiB");
}

}  // namespace
}  // namespace millrace
