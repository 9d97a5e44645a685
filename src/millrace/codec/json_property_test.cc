#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "millrace/base/rng.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

SchemaPtr OracleSchema() {
  return MakeSchema({{.name = "i", .type = DataType::Of(TypeId::kInt64)},
                     {.name = "t", .type = DataType::Of(TypeId::kText)},
                     {.name = "d", .type = DataType::Of(TypeId::kFloat64), .nullable = false},
                     {.name = "b", .type = DataType::Of(TypeId::kBoolean)}});
}

std::string RandomSpace(Rng& rng) { return rng.Chance(0.1) ? std::string(rng.Below(3), ' ') : ""; }

std::string RandomScalar(Rng& rng) {
  constexpr std::string_view kScalars[] = {"0",
                                           "-1",
                                           "12",
                                           "123456789",
                                           "12345678901234567",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "-9223372036854775808",
                                           "1.5",
                                           "-0.25e3",
                                           "1E5",
                                           "true",
                                           "false",
                                           "null",
                                           "\"\"",
                                           "\"short\"",
                                           "\"a text of more than twelve bytes\"",
                                           R"("esc \" \\ \u00e9 \ud83d\ude00")",
                                           "\"gr\xC3\xBC\xC3\x9F\"",
                                           "01",
                                           "1.",
                                           "tru",
                                           "\"open",
                                           R"("\x")",
                                           "[1,{\"x\":[]}]",
                                           "{\"y\":null}",
                                           "[1,]",
                                           "-"};
  return std::string(kScalars[rng.Below(std::size(kScalars))]);
}

/// Mostly valid records with shuffled, missing, foreign and repeated keys; some damaged bytes.
std::string RandomRecord(Rng& rng) {
  constexpr std::string_view kKeys[] = {"i", "t", "d", "b", "x", "long_undeclared_name", "\\u0069"};
  constexpr std::string_view kUsual[] = {"7", "\"some text\"", "1.25", "true"};
  std::string text = RandomSpace(rng) + "{";
  const bool usual = rng.Chance(0.6);
  const size_t count = usual ? 4 : rng.Below(6);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view key = usual ? kKeys[i] : kKeys[rng.Below(std::size(kKeys))];
    text += (i == 0 ? "" : ",") + RandomSpace(rng) + "\"" + std::string(key) + "\"" +
            RandomSpace(rng) + ":" + RandomSpace(rng) +
            (usual || rng.Chance(0.3) ? std::string(kUsual[i % 4]) : RandomScalar(rng)) +
            RandomSpace(rng);
  }
  text += "}";
  if (rng.Chance(0.1)) {
    constexpr std::string_view kBytes = "{}[]\",:\\0 a";
    text[rng.Below(text.size())] = kBytes[rng.Below(kBytes.size())];
  }
  return text;
}

/// What simdjson's document parser and the rules of JsonDecoder say about a record: the row as
/// JSON, or nothing when it is refused.
std::string OracleRow(simdjson::dom::parser& parser, const std::string& record) {
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(record)).get(object) != simdjson::SUCCESS) {
    return "";
  }
  std::array<std::optional<simdjson::dom::element>, 4> fields;
  for (const auto [key, value] : object) {
    const size_t at = std::string_view("itdb").find(key);
    if (key.size() != 1 || at == std::string_view::npos) {
      continue;
    }
    if (fields[at]) {
      return "";
    }
    fields[at] = value;
  }
  const auto missing = [&](size_t at) { return !fields[at] || fields[at]->is_null(); };
  if (missing(2) ||
      (!fields[2]->is_double() && !fields[2]->is_int64() && !fields[2]->is_uint64()) ||
      (!missing(0) && !fields[0]->is_int64()) || (!missing(1) && !fields[1]->is_string()) ||
      (!missing(3) && !fields[3]->is_bool())) {
    return "";
  }
  const SchemaPtr schema = OracleSchema();
  std::vector<Column> columns;
  for (size_t i = 0; i < 4; ++i) {
    ColumnBuilder builder(schema->field(i).type);
    if (missing(i)) {
      builder.AppendNull();
    } else if (i == 0) {
      builder.AppendFixed(fields[i]->get_int64().value());
    } else if (i == 1) {
      builder.AppendText(fields[i]->get_string().value());
    } else if (i == 2) {
      builder.AppendFixed(fields[i]->get_double().value());
    } else {
      builder.AppendBool(fields[i]->get_bool().value());
    }
    columns.push_back(builder.Finish());
  }
  std::string row;
  AppendRowJson(*Batch::Make(schema, std::move(columns), 1), 0, row);
  return row;
}

TEST(JsonProperty, AgreesWithADocumentParser) {
  Rng rng(42);
  JsonDecoder decoder(OracleSchema(), {});
  simdjson::dom::parser parser;
  const RowJsonWriter writer(*OracleSchema());
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> records;
    std::string body;
    for (size_t i = 0; i < 10; ++i) {
      records.push_back(RandomRecord(rng));
      body += records.back() + "\n";
    }
    DecodedRecords out;
    const BufferPtr padded = PaddedBuffer(body);
    decoder.Decode(padded, out);
    ASSERT_EQ(out.records, records.size());
    size_t row = 0;
    size_t error = 0;
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string expected = OracleRow(parser, records[i]);
      const bool refused = error < out.errors.size() && out.errors[error].record == i;
      ASSERT_EQ(refused, expected.empty())
          << records[i] << (refused ? " " + out.errors[error].message : "");
      if (refused) {
        ++error;
        continue;
      }
      std::string got;
      writer.Append(*out.batch, row++, got);
      ASSERT_EQ(got, expected) << records[i];
    }
  }
}

TEST(JsonProperty, LearningNeverChangesAResult) {
  Rng rng(43);
  const SchemaPtr schema = OracleSchema();
  JsonDecoder learned(schema, {});
  for (int i = 0; i < 20'000; ++i) {
    const BufferPtr body = PaddedBuffer(RandomRecord(rng));
    DecodedRecords a;
    DecodedRecords b;
    learned.Decode(body, a);
    JsonDecoder(schema, {}).Decode(body, b);
    ASSERT_TRUE(SameRows(*a.batch, *b.batch));
    ASSERT_EQ(a.errors.size(), b.errors.size());
    for (size_t error = 0; error < a.errors.size(); ++error) {
      ASSERT_EQ(a.errors[error].code, b.errors[error].code);
      ASSERT_EQ(a.errors[error].message, b.errors[error].message);
      ASSERT_EQ(a.errors[error].original, b.errors[error].original);
    }
  }
}

TEST(JsonProperty, LinesAndDocumentsAgree) {
  Rng rng(44);
  const SchemaPtr schema = SchemaOfAllTypes();
  const BatchPtr batch = RandomBatch(rng, schema, 300, 0.3, 0.3);
  const RowJsonWriter writer(*schema);
  std::string array = "[";
  for (size_t row = 0; row < batch->rows(); ++row) {
    array += row == 0 ? "" : ",\n ";
    writer.Append(*batch, row, array);
  }
  array += "]";
  DecodedRecords out;
  JsonDecoder(schema, {.framing = JsonFraming::kDocument}).Decode(PaddedBuffer(array), out);
  EXPECT_TRUE(out.errors.empty());
  EXPECT_TRUE(SameRows(*batch, *out.batch));
}

}  // namespace
}  // namespace millrace
