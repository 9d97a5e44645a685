#include "millrace/codec/json_encoder.h"

#include <limits>

#include <gtest/gtest.h>

#include "millrace/codec/json_decoder.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

std::string JsonOf(DataType type, const Value& value) {
  ColumnBuilder builder(type);
  AppendValue(builder, value);
  std::string out;
  AppendValueJson(builder.Finish(), 0, out);
  return out;
}

TEST(JsonEncoder, WritesEveryType) {
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kBoolean), Value(true)), "true");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kInt64), Value(std::numeric_limits<int64_t>::min())),
            "-9223372036854775808");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kFloat64), Value(1e20)), "1e+20");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kFloat64), Value(std::numeric_limits<double>::quiet_NaN())),
            "\"NaN\"");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kFloat32), Value(-std::numeric_limits<double>::infinity())),
            "\"-Infinity\"");
  EXPECT_EQ(JsonOf(DataType::Numeric(12, 2), Value(Int128{-5})), "-0.05");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kText), Value(std::string("a\"\n\x01"))),
            R"("a\"\n\u0001")");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kBytea), Value(std::string("\x00\xff", 2))),
            R"("\\x00ff")");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kDate), Value(int64_t{0})), "\"1970-01-01\"");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kTimestamptz), Value(int64_t{1})),
            "\"1970-01-01T00:00:00.000001Z\"");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kInterval), Value(Interval{1, 0, 0})), "\"1 mon\"");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kJsonb), Value(std::string("{\"a\":1}"))), "{\"a\":1}");
  EXPECT_EQ(JsonOf(DataType::Of(TypeId::kUuid), Value()), "null");
}

TEST(JsonEncoder, EscapesKeys) {
  const SchemaPtr schema = MakeSchema({{.name = "a\"b", .type = DataType::Of(TypeId::kInt32)}});
  Rng rng(1);
  std::string out;
  AppendRowJson(*RandomBatch(rng, schema, 1, 1, 0), 0, out);
  EXPECT_EQ(out, R"({"a\"b":null})");
}

TEST(JsonEncoder, WritesWhatTheDecoderReadsBack) {
  Rng rng(4);
  const SchemaPtr schema = SchemaOfAllTypes();
  const BatchPtr batch = RandomBatch(rng, schema, 500, 0.2, 0.3);
  const RowJsonWriter writer(*schema);
  std::string ndjson;
  for (size_t row = 0; row < batch->rows(); ++row) {
    writer.Append(*batch, row, ndjson);
    ndjson += '\n';
  }
  JsonDecoder decoder(schema, {});
  DecodedRecords out;
  decoder.Decode(PaddedBuffer(ndjson), out);
  ASSERT_TRUE(out.errors.empty()) << out.errors[0].message;
  EXPECT_TRUE(SameRows(*batch, *out.batch));
}

}  // namespace
}  // namespace millrace
