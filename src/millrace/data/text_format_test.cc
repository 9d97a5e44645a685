#include "millrace/data/text_format.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(UuidText, RoundTrips) {
  const std::string text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  const Uuid uuid = ParseUuid(text).value();
  EXPECT_EQ(FormatUuid(uuid), text);
  EXPECT_EQ(ParseUuid("{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}").value(), uuid);
  EXPECT_EQ(ParseUuid("a0eebc999c0b4ef8bb6d6bb9bd380a11").value(), uuid);
  EXPECT_EQ(ParseUuid("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11").value(), uuid);
  for (const std::string_view bad :
       {"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111",
        "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a-0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11-"}) {
    EXPECT_EQ(ParseUuid(bad).error().code(), ErrorCode::kInvalidCast) << bad;
  }
}

TEST(BooleanText, ReadsSpellings) {
  const DataType type = DataType::Of(TypeId::kBoolean);
  for (const std::string_view text : {"t", "TRUE", "tru", "y", "yes", "on", "1", " true "}) {
    EXPECT_TRUE(ParseValue(text, type).value().Get<bool>()) << text;
  }
  for (const std::string_view text : {"f", "false", "n", "no", "off", "of", "0"}) {
    EXPECT_FALSE(ParseValue(text, type).value().Get<bool>()) << text;
  }
  for (const std::string_view text : {"", "o", "2", "truee", "nope"}) {
    EXPECT_EQ(ParseValue(text, type).error().code(), ErrorCode::kInvalidCast) << text;
  }
}

TEST(BooleanText, MessageQuotesHostileTextSafely) {
  const auto error = ParseValue("\xff\n", DataType::Of(TypeId::kBoolean)).error();
  EXPECT_EQ(error.message(), "invalid text for boolean: 2 bytes that are not UTF-8");
}

struct RoundTripCase {
  DataType type;
  std::string_view text;
};

TEST(ValueText, RoundTripsEveryType) {
  const RoundTripCase cases[] = {
      {DataType::Of(TypeId::kBoolean), "true"},
      {DataType::Of(TypeId::kInt16), "-7"},
      {DataType::Of(TypeId::kInt32), "2147483647"},
      {DataType::Of(TypeId::kInt64), "-9223372036854775808"},
      {DataType::Of(TypeId::kFloat32), "0.1"},
      {DataType::Of(TypeId::kFloat64), "-1.25e+100"},
      {DataType::Numeric(12, 2), "-0.05"},
      {DataType::Of(TypeId::kText), " some text "},
      {DataType::Of(TypeId::kBytea), "\\x00ff10"},
      {DataType::Of(TypeId::kDate), "2024-02-29"},
      {DataType::Of(TypeId::kTimestamptz), "2024-02-29T12:30:00.500Z"},
      {DataType::Of(TypeId::kInterval), "1 mon -2 days +03:00:00"},
      {DataType::Of(TypeId::kUuid), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
      {DataType::Of(TypeId::kJsonb), R"({"a": [1, 2.5, "x, y: z"], "b": null})"},
  };
  for (const auto& [type, text] : cases) {
    const auto value = ParseValue(text, type);
    ASSERT_TRUE(value) << type.ToString() << ": " << value.error().ToString();
    EXPECT_EQ(FormatValue(*value, type), text);
    EXPECT_EQ(FormatValue(Value(), type), "NULL");
  }
}

TEST(ValueText, ReadsBytesInBothForms) {
  const DataType bytea = DataType::Of(TypeId::kBytea);
  const auto bytes = [&](std::string_view text) {
    const auto value = ParseValue(text, bytea);
    return value ? value->Get<std::string>() : value.error().ToString();
  };
  EXPECT_EQ(bytes("\\x6162"), "ab");
  EXPECT_EQ(bytes("ab"), "ab");
  EXPECT_EQ(bytes("a\\142\\\\c"), "ab\\c");
  EXPECT_EQ(bytes(""), "");
  for (const std::string_view bad : {"\\", "a\\9", "\\40", "\\477", "\\x6"}) {
    EXPECT_EQ(ParseValue(bad, bytea).error().code(), ErrorCode::kInvalidCast) << bad;
  }
}

TEST(ValueText, RefusesInvalidText) {
  const DataType text = DataType::Of(TypeId::kText);
  const std::string nul("a\0b", 3);
  for (const std::string_view bad :
       {std::string_view("\x80"), std::string_view("\xC0\xAF"), std::string_view("\xED\xA0\x80"),
        std::string_view("\xF4\x90\x80\x80"), std::string_view("abcdefgh\xE2\x82"),
        std::string_view(nul)}) {
    EXPECT_EQ(ParseValue(bad, text).error().code(), ErrorCode::kRecordInvalidText);
  }
  EXPECT_TRUE(ParseValue("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80", text));
  EXPECT_EQ(ParseValue("\\xabc", DataType::Of(TypeId::kBytea)).error().code(),
            ErrorCode::kInvalidCast);
  EXPECT_EQ(ParseValue("{", DataType::Of(TypeId::kJsonb)).error().code(), ErrorCode::kInvalidCast);
}

}  // namespace
}  // namespace millrace
