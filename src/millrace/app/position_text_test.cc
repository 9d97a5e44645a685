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

TEST(SourcePositionText, ReadsWhatItWrites) {
  for (const char* text : {"0:4", "0:12,1:5", "clicks/0:12,1:5;orders/0:3", "errors$clicks/3:0"}) {
    const auto read = ParseSourcePosition(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(FormatSourcePosition(*read), text);
  }
  const auto read = ParseSourcePosition("a/0:1;b/1:2,0:3");
  ASSERT_TRUE(read);
  const StreamPosition b{.stream = "b", .parts = {{1, Offset(2)}, {0, Offset(3)}}};
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->back(), b);
}

TEST(SourcePositionText, RefusesEverythingElse) {
  for (const char* text :
       {"", "1", "0:", ":1", "0:1,", "0:-1", "a/", "/0:1", "a/0:1;", ";a/0:1", "a/0:1;0:2",
        "0:1;a/0:2", "a/0:1;a/0:2", "a/b", "0:1 ", "a/0:99999999999999999999"}) {
    const auto read = ParseSourcePosition(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kHttpBadRequest);
  }
}

}  // namespace
}  // namespace millrace
