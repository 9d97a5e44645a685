#include "millrace/data/text_view.h"

#include <string>

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TextView, HoldsShortTextInside) {
  const std::string text = "0123456789ab";
  for (size_t size = 0; size <= TextView::kInlineMax; ++size) {
    const TextView view = TextView::Inline(std::string_view(text).substr(0, size));
    EXPECT_TRUE(view.is_inline());
    EXPECT_EQ(view.inline_text(), text.substr(0, size));
    const TextView padded = TextView::InlinePadded(text.data(), static_cast<uint32_t>(size));
    EXPECT_EQ(std::memcmp(&view, &padded, sizeof(view)), 0) << size;
  }
}

TEST(TextView, TakesTextWithoutAnAddress) {
  EXPECT_EQ(TextView::Inline(std::string_view()).inline_text(), "");
}

TEST(TextView, RefersToLongText) {
  const std::string text = "a text of more than twelve bytes";
  const TextView view = TextView::Reference(text, 3, 77);
  EXPECT_FALSE(view.is_inline());
  EXPECT_EQ(view.size(), text.size());
  EXPECT_EQ(view.buffer(), 3U);
  EXPECT_EQ(view.offset(), 77U);
  EXPECT_EQ(view.InBuffer(9).buffer(), 9U);
  EXPECT_EQ(view.InBuffer(9).offset(), 77U);
}

}  // namespace
}  // namespace millrace
