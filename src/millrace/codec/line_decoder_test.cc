#include "millrace/codec/line_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SchemaPtr LogSchema() {
  return MakeSchema({{.name = "at", .type = DataType::Of(TypeId::kTimestamptz), .nullable = false},
                     {.name = "level", .type = DataType::Of(TypeId::kText)},
                     {.name = "size", .type = DataType::Of(TypeId::kInt16)},
                     {.name = "extra", .type = DataType::Of(TypeId::kText)}});
}

constexpr const char* kPattern = R"((?<at>\S+ \S+) (?P<level>[a-z]*) (?<size>-?\d*|x)( (?:.*))?)";

std::unique_ptr<LineDecoder> Decoder(const std::string& pattern = kPattern,
                                     const std::string& zone = "UTC",
                                     const SchemaPtr& schema = LogSchema()) {
  auto decoder = LineDecoder::Create(
      schema, {.pattern = pattern, .time_zone = *LocalTime::Find(zone), .record_bytes_max = 200});
  EXPECT_TRUE(decoder) << decoder.error().ToString();
  return *std::move(decoder);
}

std::vector<std::string> Rows(const Batch& batch) {
  const RowJsonWriter writer(batch.schema());
  std::vector<std::string> rows(batch.rows());
  for (size_t row = 0; row < rows.size(); ++row) {
    writer.Append(batch, row, rows[row]);
  }
  return rows;
}

std::vector<std::string> Decode(LineDecoder& decoder, std::string_view lines,
                                std::vector<RecordError>* errors = nullptr) {
  DecodedRecords out;
  decoder.Decode(PaddedBuffer(lines), out);
  EXPECT_EQ(out.records, out.batch->rows() + out.errors.size());
  if (errors == nullptr) {
    EXPECT_THAT(out.errors, IsEmpty());
  } else {
    *errors = out.errors;
    for (RecordError& error : *errors) {
      error.original = {};  // The body is gone.
    }
  }
  return Rows(*out.batch);
}

ErrorCode CodeOf(std::string_view line) {
  std::vector<RecordError> errors;
  EXPECT_THAT(Decode(*Decoder(), line, &errors), IsEmpty());
  EXPECT_EQ(errors.size(), 1);
  return errors.empty() ? ErrorCode::kInternal : errors.front().code;
}

TEST(LineDecoder, ReadsGroupsAsTheirColumnsTypes) {
  EXPECT_THAT(Decode(*Decoder(), "2026-01-01 00:00:01 info 7 more\n\n2026-01-01 00:00:02+01  \r\n"),
              ElementsAre(R"({"at":"2026-01-01T00:00:01Z","level":"info","size":7,"extra":null})",
                          R"({"at":"2025-12-31T23:00:02Z","level":"","size":null,"extra":null})"));
}

TEST(LineDecoder, TakesTimesWithoutAZoneForLocalOnes) {
  EXPECT_THAT(Decode(*Decoder(kPattern, "Europe/Berlin"),
                     "2026-01-01 00:30:00 a 1\n2026-01-01 00:30:00Z b 2\n"),
              ElementsAre(R"({"at":"2025-12-31T23:30:00Z","level":"a","size":1,"extra":null})",
                          R"({"at":"2026-01-01T00:30:00Z","level":"b","size":2,"extra":null})"));
}

TEST(LineDecoder, RefusesLinesWithACode) {
  EXPECT_EQ(CodeOf("nothing like it"), ErrorCode::kRecordNoMatch);
  EXPECT_EQ(CodeOf("2026-01-01 00:00:01 a 1\xff"), ErrorCode::kRecordInvalidText);
  EXPECT_EQ(CodeOf(std::string_view("2026-01-01 00:00:01 a 1 \0", 25)),
            ErrorCode::kRecordInvalidText);
  EXPECT_EQ(CodeOf("2026-01-01 00:00:01 a 32768"), ErrorCode::kRecordOutOfRange);
  EXPECT_EQ(CodeOf("2026-01-01 00:00:01 a x"), ErrorCode::kRecordTypeMismatch);
  EXPECT_EQ(CodeOf("2026-13-01 00:00:01 a 1"), ErrorCode::kRecordInvalidTimestamp);
  EXPECT_EQ(CodeOf("10000-01-01 00:00:01 a 1"), ErrorCode::kRecordInvalidTimestamp);
  EXPECT_EQ(CodeOf("2026-01-01 00:00:01 a 1 " + std::string(200, 'x')), ErrorCode::kRecordTooLarge);
}

TEST(LineDecoder, GoesOnBehindARefusedLine) {
  DecodedRecords out;
  const BufferPtr body = PaddedBuffer(
      "2026-01-01 00:00:01 a 1\n2026-01-01 00:00:02 b 99999  \n2026-01-01 00:00:03 c 3\nbad");
  Decoder()->Decode(body, out);
  EXPECT_THAT(Rows(*out.batch),
              ElementsAre(HasSubstr(R"("level":"a","size":1)"), HasSubstr(R"("level":"c")")));
  ASSERT_EQ(out.errors.size(), 2);
  EXPECT_EQ(out.errors[0].record, 1);
  EXPECT_THAT(out.errors[0].message, HasSubstr(": size"));
  EXPECT_EQ(out.errors[0].original, "2026-01-01 00:00:02 b 99999");
  EXPECT_EQ(out.errors[1].record, 3);
  EXPECT_EQ(out.errors[1].original, "bad");
}

TEST(LineDecoder, ReadsEveryType) {
  const SchemaPtr schema = MakeSchema({{.name = "b", .type = DataType::Of(TypeId::kBoolean)},
                                       {.name = "i", .type = DataType::Of(TypeId::kInt64)},
                                       {.name = "f", .type = DataType::Of(TypeId::kFloat32)},
                                       {.name = "d", .type = DataType::Of(TypeId::kFloat64)},
                                       {.name = "n", .type = DataType::Numeric(6, 2)},
                                       {.name = "y", .type = DataType::Of(TypeId::kBytea)},
                                       {.name = "day", .type = DataType::Of(TypeId::kDate)},
                                       {.name = "v", .type = DataType::Of(TypeId::kInterval)},
                                       {.name = "u", .type = DataType::Of(TypeId::kUuid)},
                                       {.name = "j", .type = DataType::Of(TypeId::kJsonb)}});
  std::string pattern;
  for (const Field& field : schema->fields()) {
    pattern += (pattern.empty() ? "" : ";") + ("(?<" + field.name + ">[^;]*)");
  }
  EXPECT_THAT(
      Decode(*Decoder(pattern, "UTC", schema),
             "yes;-5;1.5;2.25;3.125;\\x00ff;2026-02-03;1 day;"
             "00000000-0000-0000-0000-00000000000a;{\"b\": 1, \"a\":2}\n;;;;;;;;;\n"),
      ElementsAre(R"({"b":true,"i":-5,"f":1.5,"d":2.25,"n":3.13,"y":"\\x00ff","day":"2026-02-03",)"
                  R"("v":"1 day","u":"00000000-0000-0000-0000-00000000000a","j":{"a":2,"b":1}})",
                  R"({"b":null,"i":null,"f":null,"d":null,"n":null,"y":null,"day":null,"v":null,)"
                  R"("u":null,"j":null})"));
}

TEST(LineDecoder, RefusesPatternsThatDoNotFit) {
  const auto code = [](const std::string& pattern) {
    const auto decoder = LineDecoder::Create(LogSchema(), {.pattern = pattern});
    return decoder ? ErrorCode::kInternal : decoder.error().code();
  };
  EXPECT_EQ(code("(?<at>.*"), ErrorCode::kInvalidRegex);
  EXPECT_EQ(code(R"((?<at>.*) \1)"), ErrorCode::kInvalidRegex);
  EXPECT_EQ(code("(?<at>.*)(?<lvl>.*)"), ErrorCode::kConfigInvalidValue);
  EXPECT_EQ(code("(?<level>.*)"), ErrorCode::kConfigInvalidValue);  // at is NOT NULL.
  EXPECT_EQ(code(R"((?<at>[(?<]*)\(\?<)"), ErrorCode::kInternal);   // Fits.
}

}  // namespace
}  // namespace millrace
