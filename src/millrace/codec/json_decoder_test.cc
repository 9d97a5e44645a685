#include "millrace/codec/json_decoder.h"

#include <gtest/gtest.h>

#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

SchemaPtr ClickSchema() {
  return MakeSchema({{.name = "user", .type = DataType::Of(TypeId::kText), .nullable = false},
                     {.name = "n", .type = DataType::Of(TypeId::kInt32)},
                     {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
}

SchemaPtr OneColumn(DataType type) { return MakeSchema({{.name = "v", .type = type}}); }

DecodedRecords Decode(const SchemaPtr& schema, std::string_view body,
                      const JsonDecoderOptions& options = {}) {
  JsonDecoder decoder(schema, options);
  DecodedRecords out;
  const BufferPtr padded = PaddedBuffer(body);
  decoder.Decode(padded, out);
  for (RecordError& error : out.errors) {
    const auto offset =
        static_cast<size_t>(error.original.data() - reinterpret_cast<const char*>(padded->data()));
    error.original = body.substr(offset, error.original.size());
  }
  return out;
}

std::string Row(const Batch& batch, size_t row) {
  std::string text;
  for (size_t i = 0; i < batch.columns().size(); ++i) {
    text += (i == 0 ? "" : "|") +
            FormatValue(ValueAt(batch.column(i), row), batch.schema().field(i).type);
  }
  return text;
}

std::string Rows(const Batch& batch) {
  std::string text;
  for (size_t row = 0; row < batch.rows(); ++row) {
    text += Row(batch, row) + "\n";
  }
  return text;
}

/// Decodes {"v": value} alone: the value's text, or the code.
std::string DecodeValue(DataType type, std::string_view value,
                        const JsonDecoderOptions& options = {}) {
  const auto out = Decode(OneColumn(type), "{\"v\":" + std::string(value) + "}", options);
  EXPECT_EQ(out.records, 1U);
  return out.errors.empty() ? Row(*out.batch, 0)
                            : "MR" + std::to_string(static_cast<int>(out.errors[0].code));
}

TEST(JsonDecoder, ReadsLines) {
  const auto out = Decode(ClickSchema(),
                          "{\"user\":\"ann\",\"n\":1,\"at\":\"2024-05-01T12:00:00Z\"}\n"
                          "\r\n  \n"
                          " { \"at\" : null , \"user\" : \"a text longer than twelve\" } \r\n"
                          "{\"user\":\"\"}");
  EXPECT_EQ(Rows(*out.batch),
            "ann|1|2024-05-01T12:00:00Z\n"
            "a text longer than twelve|NULL|NULL\n"
            "|NULL|NULL\n");
  EXPECT_TRUE(out.errors.empty());
  EXPECT_EQ(out.records, 3U);
}

TEST(JsonDecoder, RefusesABrokenLineAlone) {
  const auto out = Decode(ClickSchema(),
                          "{\"user\":\"a\",\"n\":1}\n"
                          "{\"user\":\"b\",\"n\":\n"
                          "2}\n"
                          "{\"user\":\"c\"} x\n"
                          "[]\n"
                          "{\"user\":\"d\",\"n\":\"x\"}  \n"
                          "{\"user\":\"e\",}\n"
                          "{\"user\":\"f\"}\n");
  EXPECT_EQ(Rows(*out.batch), "a|1|NULL\nf|NULL|NULL\n");
  ASSERT_EQ(out.errors.size(), 6U);
  EXPECT_EQ(out.errors[0].code, ErrorCode::kRecordSyntax);
  EXPECT_EQ(out.errors[0].original, "{\"user\":\"b\",\"n\":");
  EXPECT_EQ(out.errors[0].record, 1U);
  EXPECT_EQ(out.errors[1].original, "2}");
  EXPECT_EQ(out.errors[2].original, "{\"user\":\"c\"} x");
  EXPECT_EQ(out.errors[4].code, ErrorCode::kRecordTypeMismatch);
  EXPECT_EQ(out.errors[4].message, "a value has the wrong type for its column: n");
  EXPECT_EQ(out.errors[4].original, "{\"user\":\"d\",\"n\":\"x\"}");
  EXPECT_EQ(out.errors[5].code, ErrorCode::kRecordSyntax);
  EXPECT_EQ(out.errors[5].message, "the record is not valid in its format");
}

TEST(JsonDecoder, ReadsDocuments) {
  const JsonDecoderOptions document{.framing = JsonFraming::kDocument};
  for (const std::string_view body :
       {"[{\"user\":\"a\"},\n{\"user\":\"b\"}]", " [ {\"user\":\"a\"} , {\"user\":\"b\"} ] \n",
        "{\n\"user\":\n\"a\"}\n{\"user\":\"b\"}"}) {
    const auto out = Decode(ClickSchema(), body, document);
    EXPECT_EQ(Rows(*out.batch), "a|NULL|NULL\nb|NULL|NULL\n") << body;
    EXPECT_TRUE(out.errors.empty()) << body;
  }
  EXPECT_EQ(Decode(ClickSchema(), "[]", document).records, 0U);
  EXPECT_EQ(Decode(ClickSchema(), "", document).records, 0U);
}

TEST(JsonDecoder, RefusesBrokenElementsAlone) {
  const JsonDecoderOptions document{.framing = JsonFraming::kDocument};
  const auto out =
      Decode(ClickSchema(),
             "[{\"user\":\"a\"}, 5, {\"user\":[1,{\"x\":\"}]\"}]}, {\"user\":\"b\" \"n\"}, "
             "{\"user\":\"c\"}, [], {\"user\":\"d\"}",
             document);
  EXPECT_EQ(Rows(*out.batch), "a|NULL|NULL\nc|NULL|NULL\nd|NULL|NULL\n");
  ASSERT_EQ(out.errors.size(), 5U);
  EXPECT_EQ(out.errors[0].original, "5");
  EXPECT_EQ(out.errors[1].original, "{\"user\":[1,{\"x\":\"}]\"}]}");
  EXPECT_EQ(out.errors[1].code, ErrorCode::kRecordTypeMismatch);
  EXPECT_EQ(out.errors[2].original, "{\"user\":\"b\" \"n\"}");
  EXPECT_EQ(out.errors[3].original, "[]");
  EXPECT_EQ(out.errors[4].original, "");  // The bracket that is missing at the end.
}

TEST(JsonDecoder, ChecksKeys) {
  const auto code = [](std::string_view body,
                       UndeclaredFields undeclared = UndeclaredFields::kIgnore) {
    const auto out = Decode(ClickSchema(), body, {.undeclared = undeclared});
    return out.errors.empty() ? 0 : static_cast<int>(out.errors[0].code);
  };
  EXPECT_EQ(code(R"({"user":"a","user":"b"})"), 4009);
  EXPECT_EQ(code(R"({"user":"a","\u0075ser":"b"})"), 4009);
  EXPECT_EQ(code(R"({"user":"a","x":1,"x":2})"), 0);
  EXPECT_EQ(code(R"({"n":1})"), 4002);
  EXPECT_EQ(code(R"({"user":null})"), 4002);
  EXPECT_EQ(code(R"({"User":"a"})"), 4002);
  EXPECT_EQ(code(R"({"user":"a","x":1})", UndeclaredFields::kError), 4008);
  EXPECT_EQ(code(R"({"user":"a","x":tru})"), 4001);
  EXPECT_EQ(code(R"({"user":"a","x":{"y":[1,2,{}],"z":"\u00e9"}})"), 0);
}

TEST(JsonDecoder, KeepsUndeclaredFields) {
  const SchemaPtr schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kInt64)},
                                       {.name = "_rest", .type = DataType::Of(TypeId::kJsonb)}});
  const auto out = Decode(schema,
                          "{\"z\":[1, 2],\"a\":7,\"b\":{\"d\":1.0,\"c\":2},\"b\":\"x\\u0041\"}\n"
                          "{\"a\":8}\n{\"_rest\":1}\n",
                          {.undeclared = UndeclaredFields::kKeep});
  EXPECT_EQ(Rows(*out.batch), "7|{\"b\": \"xA\", \"z\": [1, 2]}\n8|NULL\nNULL|{\"_rest\": 1}\n");
}

TEST(JsonDecoder, ConvertsNothingSilently) {
  const DataType integer = DataType::Of(TypeId::kInt32);
  EXPECT_EQ(DecodeValue(integer, "-2147483648"), "-2147483648");
  EXPECT_EQ(DecodeValue(integer, "2147483648"), "MR4004");
  EXPECT_EQ(DecodeValue(integer, "99999999999999999999999"), "MR4004");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kInt64), "-9223372036854775808"),
            "-9223372036854775808");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kInt64), "9223372036854775808"), "MR4004");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kInt16), "32768"), "MR4004");
  for (const std::string_view value : {"\"1\"", "1.0", "1e2", "true", "[]", "{}"}) {
    EXPECT_EQ(DecodeValue(integer, value), "MR4003") << value;
  }
  for (const std::string_view value :
       {"01", "-", "+1", "1.", "0x1", "1a", "--1", "", "nul", "1 2"}) {
    EXPECT_EQ(DecodeValue(integer, value), "MR4001") << value;
  }
  const DataType text = DataType::Of(TypeId::kText);
  for (const std::string_view value : {"1", "true", "[]", "{\"a\":1}"}) {
    EXPECT_EQ(DecodeValue(text, value), "MR4003") << value;
  }
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kBoolean), "true"), "true");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kBoolean), "1"), "MR4003");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kBoolean), "truthy"), "MR4001");
}

TEST(JsonDecoder, ReadsFractions) {
  const DataType money = DataType::Numeric(5, 2);
  EXPECT_EQ(DecodeValue(money, "12.5"), "12.50");
  EXPECT_EQ(DecodeValue(money, "-0.125"), "-0.13");
  EXPECT_EQ(DecodeValue(money, "1.25e1"), "12.50");
  EXPECT_EQ(DecodeValue(money, "1000"), "MR4004");
  EXPECT_EQ(DecodeValue(money, "999.995"), "MR4004");
  EXPECT_EQ(DecodeValue(money, "\"12.5\""), "MR4003");
  EXPECT_EQ(DecodeValue(money, "1."), "MR4001");
  EXPECT_EQ(DecodeValue(money, "00.5"), "MR4001");
  EXPECT_EQ(DecodeValue(DataType::Numeric(38, 0), "12345678901234567890123456789012345678"),
            "12345678901234567890123456789012345678");
  const DataType real = DataType::Of(TypeId::kFloat64);
  EXPECT_EQ(DecodeValue(real, "1.5e3"), "1500");
  EXPECT_EQ(DecodeValue(real, "7"), "7");
  EXPECT_EQ(DecodeValue(real, "1e999"), "MR4004");
  EXPECT_EQ(DecodeValue(real, "\"NaN\""), "NaN");
  EXPECT_EQ(DecodeValue(real, "\"-Infinity\""), "-Infinity");
  EXPECT_EQ(DecodeValue(real, "\"1\""), "MR4003");
  EXPECT_EQ(DecodeValue(real, "NaN"), "MR4001");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kFloat32), "1e39"), "MR4004");
}

TEST(JsonDecoder, ReadsTimes) {
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  EXPECT_EQ(DecodeValue(type, "\"2024-05-01 14:00:00.25+02\""), "2024-05-01T12:00:00.250Z");
  EXPECT_EQ(DecodeValue(type, "\"2024-13-01\""), "MR4010");
  EXPECT_EQ(DecodeValue(type, "1714564800000"), "MR4003");
  const JsonDecoderOptions epoch{.timestamp_format = *TimestampFormat::Parse("epoch_millis")};
  EXPECT_EQ(DecodeValue(type, "1714564800000", epoch), "2024-05-01T12:00:00Z");
  EXPECT_EQ(DecodeValue(type, "1714564800000.25", epoch), "2024-05-01T12:00:00.000250Z");
  EXPECT_EQ(DecodeValue(type, "-1", epoch), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(DecodeValue(type, "1e30", epoch), "MR4010");
  EXPECT_EQ(DecodeValue(type, "true", epoch), "MR4003");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kDate), "\"2024-05-01\""), "2024-05-01");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kDate), "\"May\""), "MR4010");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kInterval), "\"PT5M\""), "00:05:00");
}

TEST(JsonDecoder, SharesTheDateOfTheLastTimestamp) {
  const auto out =
      Decode(OneColumn(DataType::Of(TypeId::kTimestamptz)),
             "{\"v\":\"2024-05-01T12:00:00.123Z\"}\n{\"v\":\"2024-05-01T23:59:59.999Z\"}\n"
             "{\"v\":\"2024-05-01T24:00:00Z\"}\n{\"v\":\"2024-05-01T12:60:00Z\"}\n"
             "{\"v\":\"2024-05-01T12:00:00.123456Z\"}\n{\"v\":\"2024-05-01T12:00:00+01\"}\n"
             "{\"v\":\"2024-05-02T00:00:00Z\"}\n{\"v\":\"2024-05-02T00:00:0xZ\"}\n");
  EXPECT_EQ(Rows(*out.batch),
            "2024-05-01T12:00:00.123Z\n2024-05-01T23:59:59.999Z\n2024-05-02T00:00:00Z\n"
            "2024-05-01T12:00:00.123456Z\n2024-05-01T11:00:00Z\n2024-05-02T00:00:00Z\n");
  ASSERT_EQ(out.errors.size(), 2U);
  EXPECT_EQ(out.errors[0].record, 3U);
  EXPECT_EQ(out.errors[1].record, 7U);
}

TEST(JsonDecoder, ReadsEveryFractionAfterATimestampOfTheSameDate) {
  const auto out =
      Decode(OneColumn(DataType::Of(TypeId::kTimestamptz)),
             "{\"v\":\"2024-05-01T12:00:00Z\"}\n{\"v\":\"2024-05-01T12:00:00.5Z\"}\n"
             "{\"v\":\"2024-05-01T12:00:00.25Z\"}\n{\"v\":\"2024-05-01T12:00:00.1234Z\"}\n"
             "{\"v\":\"2024-05-01T12:00:00.12345Z\"}\n"
             "{\"v\":\"2024-05-01T12:00:00.1234567Z\"}\n"
             "{\"v\":\"2024-05-01T12:00:00.Z\"}\n{\"v\":\"2024-05-01T12:00:00.1x3Z\"}\n");
  EXPECT_EQ(Rows(*out.batch),
            "2024-05-01T12:00:00Z\n2024-05-01T12:00:00.500Z\n2024-05-01T12:00:00.250Z\n"
            "2024-05-01T12:00:00.123400Z\n2024-05-01T12:00:00.123450Z\n"
            "2024-05-01T12:00:00.123457Z\n");
  ASSERT_EQ(out.errors.size(), 2U);
  EXPECT_EQ(out.errors[0].record, 6U);
  EXPECT_EQ(out.errors[1].record, 7U);
}

TEST(JsonDecoder, ReadsTexts) {
  const DataType text = DataType::Of(TypeId::kText);
  EXPECT_EQ(DecodeValue(text, R"("a\"b\\\/\n\u00e9\ud83d\ude00")"),
            "a\"b\\/\n\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(DecodeValue(text, R"("a\u0000b")"), "MR4005");
  EXPECT_EQ(DecodeValue(text, R"("\ud800")"), "MR4005");
  EXPECT_EQ(DecodeValue(text, R"("\udc00")"), "MR4005");
  EXPECT_EQ(DecodeValue(text, "\"\x80\""), "MR4005");
  EXPECT_EQ(DecodeValue(text, std::string_view("\"a\0b\"", 5)), "MR4005");
  EXPECT_EQ(DecodeValue(text, "\"a\tb\""), "MR4001");
  EXPECT_EQ(DecodeValue(text, R"("\x")"), "MR4001");
  EXPECT_EQ(DecodeValue(text, R"("\u12")"), "MR4001");
  EXPECT_EQ(DecodeValue(text, "\"open"), "MR4001");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kUuid), R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")"),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kBytea), R"("\\x00ff")"), "\\x00ff");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kBytea), R"("zz")"), "MR4003");
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kJsonb), R"({"b": 1.50, "a": [true, null]})"),
            R"({"a": [true, null], "b": 1.5})");
}

TEST(JsonDecoder, RefusesInvalidUtf8PerRecord) {
  const auto out = Decode(
      ClickSchema(), "{\"user\":\"ok\"}\n{\"user\":\"\xFF\"}\n{\"user\":\"gr\xC3\xBC\xC3\x9F\"}\n");
  EXPECT_EQ(Rows(*out.batch), "ok|NULL|NULL\ngr\xC3\xBC\xC3\x9F|NULL|NULL\n");
  ASSERT_EQ(out.errors.size(), 1U);
  EXPECT_EQ(out.errors[0].code, ErrorCode::kRecordInvalidText);
}

TEST(JsonDecoder, BoundsDepthAndSize) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string deep_objects = [] {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
      text += "{\"a\":";
    }
    return text;
  }();
  for (const std::string& value : {deep, deep_objects}) {
    for (const JsonFraming framing : {JsonFraming::kLines, JsonFraming::kDocument}) {
      const auto out =
          Decode(ClickSchema(), "{\"user\":\"a\",\"x\":" + value + "}", {.framing = framing});
      ASSERT_EQ(out.errors.size(), 1U);
      EXPECT_EQ(out.errors[0].code, ErrorCode::kRecordTooDeep);
    }
  }
  const std::string at_limit = std::string(63, '[') + std::string(63, ']');
  EXPECT_TRUE(Decode(ClickSchema(), "{\"user\":\"a\",\"x\":" + at_limit + "}").errors.empty());
  EXPECT_EQ(DecodeValue(DataType::Of(TypeId::kJsonb), "[" + at_limit + "]"), "MR4006");

  const std::string large = "{\"user\":\"" + std::string(1 << 20, 'x') + "\"}";
  for (const JsonFraming framing : {JsonFraming::kLines, JsonFraming::kDocument}) {
    const auto out = Decode(ClickSchema(), large + "\n{\"user\":\"b\"}", {.framing = framing});
    ASSERT_EQ(out.errors.size(), 1U);
    EXPECT_EQ(out.errors[0].code, ErrorCode::kRecordTooLarge);
    EXPECT_EQ(Rows(*out.batch), "b|NULL|NULL\n");
  }
}

TEST(JsonDecoder, RefersToTheBodyInsteadOfCopying) {
  JsonDecoder decoder(ClickSchema(), {});
  DecodedRecords out;
  const BufferPtr body = PaddedBuffer("{\"user\":\"a text longer than twelve\"}");
  decoder.Decode(body, out);
  const auto* text = reinterpret_cast<const std::byte*>(out.batch->column(0).Text(0).data());
  EXPECT_GE(text, body->data());
  EXPECT_LT(text, body->data() + body->size());
}

TEST(JsonDecoder, SkipsAByteOrderMark) {
  EXPECT_EQ(Decode(ClickSchema(), "\xEF\xBB\xBF{\"user\":\"a\"}").batch->rows(), 1U);
}

}  // namespace
}  // namespace millrace
