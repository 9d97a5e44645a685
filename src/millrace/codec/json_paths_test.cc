#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/codec/json_field_tree.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<FieldPath> Paths(std::string_view text) {
  auto paths = ParseFieldPaths(text);
  EXPECT_TRUE(paths) << paths.error().ToString();
  return paths.value_or(std::vector<FieldPath>());
}

/// A purchase or a visit, each an object of its own.
SchemaPtr EventSchema() {
  return MakeSchema({{.name = "kind", .type = DataType::Of(TypeId::kInt32)},
                     {.name = "price", .type = DataType::Of(TypeId::kInt64)},
                     {.name = "buyer", .type = DataType::Of(TypeId::kText)},
                     {.name = "url", .type = DataType::Of(TypeId::kText)},
                     {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
}

JsonDecoderOptions EventOptions() {
  return {.paths = {{"price", Paths("buy.price")},
                    {"buyer", Paths("buy.by.name")},
                    {"url", Paths("visit.url")},
                    {"at", Paths("buy.at | visit.at")}}};
}

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> errors;
};

Outcome Decode(JsonDecoder& decoder, std::string_view lines) {
  DecodedRecords out;
  const BufferPtr body = PaddedBuffer(lines);
  decoder.Decode(body, out);
  const RowJsonWriter writer(out.batch->schema());
  Outcome outcome;
  for (size_t row = 0; row < out.batch->rows(); ++row) {
    writer.Append(*out.batch, row, outcome.rows.emplace_back());
  }
  for (const RecordError& error : out.errors) {
    outcome.errors.push_back(std::to_string(static_cast<int>(error.code)) + " " + error.message);
  }
  return outcome;
}

Outcome Decode(std::string_view lines, const SchemaPtr& schema = EventSchema(),
               const JsonDecoderOptions& options = EventOptions()) {
  JsonDecoder decoder(schema, options);
  return Decode(decoder, lines);
}

TEST(FieldPaths, ReadsNamesWithDotsBetween) {
  EXPECT_THAT(Paths("a"), ElementsAre(FieldPath{"a"}));
  EXPECT_THAT(Paths("a.b c.d"), ElementsAre(FieldPath{"a", "b c", "d"}));
  EXPECT_THAT(Paths(" a.b | c "), ElementsAre(FieldPath{"a", "b"}, FieldPath{"c"}));
  EXPECT_THAT(Paths(R"("a.b"."c""|")"), ElementsAre(FieldPath{"a.b", "c\"|"}));
  for (const std::string_view bad :
       {"", " ", ".", "a.", ".a", "a..b", "a|", "\"a", "\"a\"b", "a\"b"}) {
    const auto paths = ParseFieldPaths(bad);
    ASSERT_FALSE(paths) << bad;
    EXPECT_EQ(paths.error().code(), ErrorCode::kConfigInvalidValue);
  }
}

TEST(FieldTree, RefusesColumnsThatWantTheSame) {
  const SchemaPtr schema = EventSchema();
  for (const auto& [paths, message] : std::initializer_list<std::pair<FieldPaths, std::string>>{
           {{{"price", Paths("kind")}}, "columns kind and price take the same field kind"},
           {{{"price", Paths("x.y")}, {"url", Paths("x.y")}},
            "columns price and url take the same field x.y"},
           {{{"price", Paths("x")}, {"url", Paths("x.y")}},
            "column price takes x whole, and column url a field of it"},
           {{{"price", Paths("x.y.z")}, {"url", Paths("x.y")}},
            "column url takes x.y whole, and another column a field of it"}}) {
    const auto tree = json::FieldTree::Make(*schema, paths, schema->size());
    ASSERT_FALSE(tree) << message;
    EXPECT_EQ(tree.error().code(), ErrorCode::kSqlInvalidDefinition);
    EXPECT_EQ(tree.error().message(), message);
  }
}

TEST(JsonPaths, FlattensObjects) {
  const auto out = Decode(
      R"({"kind":0,"buy":{"price":7,"by":{"id":1,"name":"ann"},"at":"2026-01-01T00:00:01Z"}}
{"kind":1,"buy":null,"visit":{"url":"/a/long/path","at":"2026-01-01 00:00:02.5"}}
{"visit":{"at":"2026-01-01 00:00:03","x":{"price":9},"url":null},"buy":null,"kind":1}
{"kind":2}
{"kind":3,"buy":{}}
{ "kind" : 4 , "buy" : { "by" : null , "price" : 8 } , "x" : [ { } ] }
)");
  EXPECT_THAT(out.errors, ElementsAre());
  EXPECT_THAT(
      out.rows,
      ElementsAre(R"({"kind":0,"price":7,"buyer":"ann","url":null,"at":"2026-01-01T00:00:01Z"})",
                  R"({"kind":1,"price":null,"buyer":null,"url":"/a/long/path","at":)"
                  R"("2026-01-01T00:00:02.500Z"})",
                  R"({"kind":1,"price":null,"buyer":null,"url":null,"at":"2026-01-01T00:00:03Z"})",
                  R"({"kind":2,"price":null,"buyer":null,"url":null,"at":null})",
                  R"({"kind":3,"price":null,"buyer":null,"url":null,"at":null})",
                  R"({"kind":4,"price":8,"buyer":null,"url":null,"at":null})"));
}

TEST(JsonPaths, RefusesRecordsAsInTheOutermostObject) {
  const auto out = Decode(
      R"({"kind":0,"buy":7}
{"kind":0,"buy":[1]}
{"kind":0,"buy":{"price":"7"}}
{"kind":0,"buy":{"price":7,"price":8}}
{"kind":0,"buy":{"price":7},"buy":{"by":null}}
{"kind":0,"buy":{"at":"2026-01-01 00:00:01"},"visit":{"at":"2026-01-01 00:00:01"}}
{"kind":0,"buy":{"price":7}
{"kind":0,"buy":{"price":7,}}
{"kind":0,"buy":{"price":7}}}
{"kind":0,"buy":nul}
{"kind":0,"buy":{"by":{"name":"a"},"by":1}}
)");
  EXPECT_THAT(out.rows, ElementsAre());
  EXPECT_THAT(out.errors, ElementsAre("4003 a value has the wrong type for its column: buy",
                                      "4003 a value has the wrong type for its column: buy",
                                      "4003 a value has the wrong type for its column: price",
                                      "4009 a declared field occurs twice in the record: price",
                                      "4009 a declared field occurs twice in the record: buy",
                                      "4009 a declared field occurs twice in the record: at",
                                      "4001 the record is not valid in its format",
                                      "4001 the record is not valid in its format",
                                      "4001 the record is not valid in its format",
                                      "4001 the record is not valid in its format",
                                      "4009 a declared field occurs twice in the record: buy.by"));
}

TEST(JsonPaths, NeedsNotNullColumnsWhereTheirObjectIsMissing) {
  const SchemaPtr schema =
      MakeSchema({{.name = "v", .type = DataType::Of(TypeId::kInt32), .nullable = false}});
  const JsonDecoderOptions options{.paths = {{"v", Paths("o.v")}}};
  const auto out =
      Decode("{\"o\":{\"v\":1}}\n{\"o\":null}\n{}\n{\"o\":{\"v\":2}}\n", schema, options);
  EXPECT_THAT(out.rows, ElementsAre(R"({"v":1})", R"({"v":2})"));
  EXPECT_THAT(out.errors, ElementsAre("4002 a NOT NULL column is missing or null: v",
                                      "4002 a NOT NULL column is missing or null: v"));
}

TEST(JsonPaths, CountsTheObjectsAroundAValueAsDepth) {
  const SchemaPtr schema = MakeSchema({{.name = "v", .type = DataType::Of(TypeId::kJsonb)}});
  const JsonDecoderOptions options{.paths = {{"v", Paths("o.v")}}, .depth_max = 3};
  const auto out = Decode(
      "{\"o\":{\"v\":[]}}\n{\"o\":{\"v\":[[]]}}\n{\"o\":{\"x\":[[]]}}\n{\"x\":[[]]}\n"
      "{\"x\":[[[]]]}\n",
      schema, options);
  EXPECT_THAT(out.rows, ElementsAre(R"({"v":[]})", R"({"v":null})"));
  ASSERT_EQ(out.errors.size(), 3U);
  for (const std::string& error : out.errors) {
    EXPECT_THAT(error, HasSubstr("4006"));
  }
}

TEST(JsonPaths, RefusesUndeclaredFieldsOfInnerObjects) {
  JsonDecoderOptions options = EventOptions();
  options.undeclared = UndeclaredFields::kError;
  const auto out =
      Decode("{\"buy\":{\"price\":1,\"by\":{\"name\":\"a\"}}}\n{\"buy\":{\"prize\":1}}\n",
             EventSchema(), options);
  EXPECT_EQ(out.rows.size(), 1U);
  EXPECT_THAT(out.errors,
              ElementsAre("4008 the record holds a field that is not declared: \"prize\""));
}

std::string RandomObject(Rng& rng, int depth) {
  constexpr std::string_view kKeys[] = {"kind", "price", "buy", "by", "name", "visit", "url", "x"};
  constexpr std::string_view kScalars[] = {"1",    "null",           "\"a\"", "[]",
                                           "true", "\"2026-01-01\"", "{}"};
  std::string text = "{";
  const size_t count = rng.Below(4);
  for (size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::string(kKeys[rng.Below(std::size(kKeys))]) + "\":";
    text += depth > 0 && rng.Chance(0.6) ? RandomObject(rng, depth - 1)
                                         : std::string(kScalars[rng.Below(std::size(kScalars))]);
  }
  return text + "}";
}

/// What was learned from other records, of whatever nesting, changes no result.
TEST(JsonPaths, LearnsNothingThatChangesAResult) {
  Rng rng(3);
  JsonDecoder used(EventSchema(), EventOptions());
  size_t rows = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string record = RandomObject(rng, 3) + "\n";
    const Outcome known = Decode(used, record);
    const Outcome fresh = Decode(record);
    ASSERT_EQ(known.rows, fresh.rows) << record;
    ASSERT_EQ(known.errors, fresh.errors) << record;
    rows += known.rows.size();
  }
  EXPECT_GT(rows, 2000U);
}

}  // namespace
}  // namespace millrace
