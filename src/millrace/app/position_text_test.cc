#include "millrace/app/position_text.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(PositionText, ReadsWhatItWrites) {
  for (const auto& offsets : {std::vector{Offset(7)}, {Offset(0), Offset(12), Offset(1'000'000)}}) {
    const auto read = ParsePosition(FormatPosition(offsets), offsets.size());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, offsets);
  }
  EXPECT_EQ(FormatPosition(std::vector{Offset(1), Offset(2)}), "1.2");
}

TEST(PositionText, RefusesEverythingElse) {
  for (const char* text : {"", "1", "1.2.3", "1.", ".1", "1..2", "-1.2", "1.2 ", "a.b", "1,2",
                           "1.99999999999999999999"}) {
    const auto read = ParsePosition(text, 2);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kHttpBadRequest);
  }
}

}  // namespace
}  // namespace millrace
