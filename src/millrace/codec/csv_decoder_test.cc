#include "millrace/codec/csv_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/bytes.h"
#include "millrace/base/rng.h"
#include "millrace/codec/csv_testing.h"
#include "millrace/codec/json_encoder.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

SchemaPtr OrderSchema() {
  return MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                     {.name = "name", .type = DataType::Of(TypeId::kText)},
                     {.name = "price", .type = DataType::Numeric(8, 2)}});
}

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> errors;  ///< "code message | original".
  std::vector<std::string> originals;
};

Outcome Decode(CsvDecoder& decoder, std::string_view file) {
  const BufferPtr whole = PaddedBuffer(file);
  const size_t header =
      decoder.TakeHeader({reinterpret_cast<const char*>(whole->data()), whole->size()});
  const auto body = std::make_shared<const Buffer>(whole->bytes().subspan(header), whole);
  DecodedRecords out;
  decoder.Decode(body, out);
  EXPECT_EQ(out.records, out.batch->rows() + out.errors.size());
  Outcome outcome;
  const RowJsonWriter writer(out.batch->schema());
  for (size_t row = 0; row < out.batch->rows(); ++row) {
    writer.Append(*out.batch, row, outcome.rows.emplace_back());
  }
  for (const RecordError& error : out.errors) {
    outcome.errors.push_back(std::to_string(static_cast<int>(error.code)) + " " + error.message +
                             " | " + std::string(error.original));
  }
  for (const std::string_view original : out.originals) {
    outcome.originals.emplace_back(original);
  }
  return outcome;
}

Outcome Decode(std::string_view file, const CsvDecoderOptions& options = {},
               const SchemaPtr& schema = OrderSchema()) {
  CsvDecoder decoder(schema, options);
  return Decode(decoder, file);
}

TEST(CsvDecoder, MatchesTheNamesOfTheHeader) {
  const auto out = Decode(
      "name,other,id\r\nann,x,1\r\n\"a name, longer than twelve\",y,2\n\"line\none\",\"\",3\n,,4");
  EXPECT_THAT(out.errors, IsEmpty());
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":1,"name":"ann","price":null})",
                                    R"({"id":2,"name":"a name, longer than twelve","price":null})",
                                    R"({"id":3,"name":"line\none","price":null})",
                                    R"({"id":4,"name":null,"price":null})"));
}

TEST(CsvDecoder, ReadsQuotesAsTheRfcHasThem) {
  const auto out = Decode(
      "id,name,price\n"
      "1,\"a \"\"quoted\"\" word\",1.5\n"
      "2,\"\"\"\",\"2.25\"\n"
      "3,\"\",3\n"
      "4,a\"b,4\n"
      "5, \"x\" ,5\n"
      "6,\"\r\n\",6\r\n");
  EXPECT_THAT(out.errors, IsEmpty());
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":1,"name":"a \"quoted\" word","price":1.50})",
                                    R"({"id":2,"name":"\"","price":2.25})",
                                    R"({"id":3,"name":"","price":3.00})",
                                    R"({"id":4,"name":"a\"b","price":4.00})",
                                    R"({"id":5,"name":" \"x\" ","price":5.00})",
                                    R"({"id":6,"name":"\r\n","price":6.00})"));
}

TEST(CsvDecoder, RefusesRecordsAloneWithTheirBytes) {
  const auto out = Decode(
      "id,name,price\n"
      "1,a\n"
      "2,b,2,2\n"
      "x,c,3\n"
      "\"4\"4,d,4\n"
      "5,\"e\nf\"g,5\n"
      ",h,6\n"
      "7,i,1234567.89\n"
      "8,\xff,8\n"
      "9,j,9\n"
      "10,\"k,10\n");
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":9,"name":"j","price":9.00})"));
  EXPECT_THAT(
      out.errors,
      ElementsAre("4001 the record is not valid in its format: 2 fields instead of 3 | 1,a",
                  "4001 the record is not valid in its format: 4 fields instead of 3 | 2,b,2,2",
                  "4003 a value has the wrong type for its column: id | x,c,3",
                  "4001 the record is not valid in its format: text behind a closing quote | "
                  "\"4\"4,d,4",
                  "4001 the record is not valid in its format: text behind a closing quote | "
                  "5,\"e\nf\"g,5",
                  "4002 a NOT NULL column is missing or null: id | ,h,6",
                  "4004 a value is out of the range of its column: price | 7,i,1234567.89",
                  "4005 text is not valid UTF-8 or holds a NUL character | 8,\xff,8",
                  "4001 the record is not valid in its format: a quoted field does not end | "
                  "10,\"k,10"));
}

TEST(CsvDecoder, RefusesAllRecordsBelowAHeaderThatDoesNotFit) {
  EXPECT_THAT(Decode("name,price\na,1\n").errors,
              ElementsAre("4002 a NOT NULL column is missing or null: id | a,1"));
  EXPECT_THAT(Decode("id,name,id\n1,a,2\n").errors,
              ElementsAre("4009 a declared field occurs twice in the record: id | 1,a,2"));
  EXPECT_THAT(Decode("id,nam\n1,a\n", {.undeclared = UndeclaredFields::kError}).errors,
              ElementsAre("4008 the record holds a field that is not declared: nam | 1,a"));
  EXPECT_THAT(Decode("id,nam\n1,a\n").rows, ElementsAre(R"({"id":1,"name":null,"price":null})"));
}

TEST(CsvDecoder, TakesColumnsInOrderWithoutAHeader) {
  const auto out = Decode(
      "\xEF\xBB\xBF"
      "1,a,1\n\n\r\n2,b,2\n",
      {.header = false});
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":1,"name":"a","price":1.00})",
                                    R"({"id":2,"name":"b","price":2.00})"));
  EXPECT_THAT(out.errors, IsEmpty());
}

TEST(CsvDecoder, ReadsArraysAsItReadsTheirElements) {
  const SchemaPtr schema =
      MakeSchema({{.name = "ns", .type = DataType::Array(DataType::Of(TypeId::kInt16))},
                  {.name = "at", .type = DataType::Array(DataType::Of(TypeId::kTimestamptz))}});
  const auto out = Decode(
      "ns,at\n\"{1,NULL,-3}\",\"{2026-01-01 00:00:00,2026-07-01 00:00:00}\"\n{40000},\n{x},\n{1,\n"
      ",{2026-01-01T00:00:00Z}\n",
      {.timestamp_format = *TimestampFormat::Parse("yyyy-MM-dd HH:mm:ss"),
       .time_zone = *LocalTime::Find("Europe/Berlin")},
      schema);
  EXPECT_THAT(
      out.rows,
      ElementsAre(R"({"ns":[1,null,-3],"at":["2025-12-31T23:00:00Z","2026-06-30T22:00:00Z"]})"));
  EXPECT_THAT(out.errors, ElementsAre(StartsWith("4004"), StartsWith("4003"), StartsWith("4003"),
                                      StartsWith("4010")));
}

TEST(CsvDecoder, SkipsAByteOrderMarkInFrontOfAQuotedHeader) {
  EXPECT_THAT(Decode("\xEF\xBB\xBF\"id\"\n1\n").rows,
              ElementsAre(R"({"id":1,"name":null,"price":null})"));
}

TEST(CsvDecoder, TakesAnEmptyLineForARecordOfOneField) {
  const SchemaPtr schema = MakeSchema({{.name = "t", .type = DataType::Of(TypeId::kText)}});
  EXPECT_THAT(Decode("t\na\n\n\"\"\n\r\n", {}, schema).rows,
              ElementsAre(R"({"t":"a"})", R"({"t":null})", R"({"t":""})", R"({"t":null})"));
}

TEST(CsvDecoder, KnowsOtherCharacters) {
  const CsvDecoderOptions tabs{.dialect = {.delimiter = '\t', .quote = '\''}, .null_text = "NULL"};
  EXPECT_THAT(
      Decode("id\tname\tprice\n1\t'it''s\t'\tNULL\n2\tNULL\t2\n3\t'NULL'\t3\n4\t\t4\n", tabs).rows,
      ElementsAre(R"({"id":1,"name":"it's\t","price":null})",
                  R"({"id":2,"name":null,"price":2.00})", R"({"id":3,"name":"NULL","price":3.00})",
                  R"({"id":4,"name":"","price":4.00})"));
  const CsvDecoderOptions none{.dialect = {.delimiter = '|', .quote = '\0'}};
  EXPECT_THAT(Decode("id|name\n1|\"a\n2|\"\"\n", none).rows,
              ElementsAre(R"({"id":1,"name":"\"a","price":null})",
                          R"({"id":2,"name":"\"\"","price":null})"));
}

TEST(CsvDecoder, TakesTheMeaningFromWhatIsEscaped) {
  const CsvDecoderOptions options{.dialect = {.escape = '\\'}};
  const auto out = Decode(
      "id,name\n"
      "1,\"a \\\" b \\\\ c\"\n"
      "2,a\\,b\n"
      "3,a\\\nb\n"
      "4,\"a \"\" b\"\n"
      "5,\\\"a\n"
      "6,\"a\\\n\\n\"\n",
      options);
  EXPECT_THAT(out.errors, IsEmpty());
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":1,"name":"a \" b \\ c","price":null})",
                                    R"({"id":2,"name":"a,b","price":null})",
                                    R"({"id":3,"name":"a\nb","price":null})",
                                    R"({"id":4,"name":"a \" b","price":null})",
                                    R"({"id":5,"name":"\"a","price":null})",
                                    R"({"id":6,"name":"a\nn","price":null})"));
}

TEST(CsvDecoder, ReadsEveryType) {
  const SchemaPtr schema = MakeSchema({{.name = "b", .type = DataType::Of(TypeId::kBoolean)},
                                       {.name = "s", .type = DataType::Of(TypeId::kInt16)},
                                       {.name = "i", .type = DataType::Of(TypeId::kInt32)},
                                       {.name = "f", .type = DataType::Of(TypeId::kFloat64)},
                                       {.name = "n", .type = DataType::Numeric(20, 3)},
                                       {.name = "d", .type = DataType::Of(TypeId::kDate)},
                                       {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)},
                                       {.name = "j", .type = DataType::Of(TypeId::kJsonb)},
                                       {.name = "y", .type = DataType::Of(TypeId::kBytea)}});
  CsvDecoderOptions options{.header = false};
  options.timestamp_format = *TimestampFormat::Parse("dd.MM.yyyy HH:mm");
  options.time_zone = *LocalTime::Find("Europe/Berlin");
  const auto out = Decode(
      "t,-7,+5, 1e3 ,-0.0005,2026-01-02,01.07.2026 12:30,\"{\"\"a\"\": [1]}\",\\x00ff\n"
      "f,32768,1,1,1,2026-01-02,01.07.2026 12:30,1,\\x\n"
      "f,1,1,1,1,2026-01-02,2026-07-01 12:30,1,\\x\n"
      "f,1,1,1,1,2026-01-02,01.07.2026 12:30,{,\\x\n",
      options, schema);
  EXPECT_THAT(out.rows, ElementsAre(R"({"b":true,"s":-7,"i":5,"f":1000,"n":-0.001,)"
                                    R"("d":"2026-01-02","at":"2026-07-01T10:30:00Z",)"
                                    R"("j":{"a":[1]},"y":"\\x00ff"})"));
  ASSERT_EQ(out.errors.size(), 3U);
  EXPECT_THAT(out.errors[0], testing::StartsWith("4004"));
  EXPECT_THAT(out.errors[1], testing::StartsWith("4010"));
  EXPECT_THAT(out.errors[2], testing::StartsWith("4001"));
}

TEST(CsvDecoder, FindsFieldsByOtherNames) {
  const CsvDecoderOptions options{.names = {{"id", {{"Order Id"}}}, {"name", {{"a", "b"}}}}};
  EXPECT_THAT(Decode("Order Id,name,a.b\n1,x,y\n", options).rows,
              ElementsAre(R"({"id":1,"name":"y","price":null})"));
}

TEST(CsvDecoder, BoundsRecordsAndKeepsOriginals) {
  const auto out = Decode("id,name\n1,aaaa\r\n2,aaaaa\n\"3\",\"\n\"\n",
                          {.record_bytes_max = 6, .keep_originals = true});
  EXPECT_THAT(out.originals, ElementsAre("1,aaaa"));
  EXPECT_THAT(out.errors, ElementsAre("4007 the record is larger than the limit | 2,aaaaa",
                                      "4007 the record is larger than the limit | \"3\",\"\n\""));
}

std::string RandomText(Rng& rng) {
  constexpr std::string_view kPieces[] = {",", ",",  "\n",   "\r\n", "\"", "\"\"", "\"a\"", "a",
                                          "b", "\\", "\\\"", "'",    "\r", " ",    ",\"",   "\"\n"};
  std::string text;
  const size_t count = rng.Below(40);
  for (size_t i = 0; i < count; ++i) {
    text += kPieces[rng.Below(std::size(kPieces))];
  }
  return text;
}

csv::Dialect RandomDialect(Rng& rng) {
  constexpr csv::Dialect kDialects[] = {{},
                                        {.escape = '\\'},
                                        {.quote = '\''},
                                        {.quote = '\0'},
                                        {.quote = '\0', .escape = '\\'},
                                        {.delimiter = ' '}};
  return kDialects[rng.Below(std::size(kDialects))];
}

/// What is decoded is what the plainest reader finds.
TEST(CsvProperty, AgreesWithThePlainestReader) {
  Rng rng(11);
  const SchemaPtr schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kText)},
                                       {.name = "b", .type = DataType::Of(TypeId::kText)}});
  size_t rows = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string text = RandomText(rng);
    const csv::Dialect dialect = RandomDialect(rng);
    CsvDecoder decoder(schema, {.dialect = dialect, .header = false, .null_text = "\x01"});
    DecodedRecords out;
    decoder.Decode(PaddedBuffer(text), out);
    std::vector<std::string> expected;
    size_t refused = 0;
    for (const csv::ReferenceRecord& record : csv::ReadAll(dialect, text)) {
      const std::string_view raw =
          std::string_view(text).substr(record.begin, record.end - record.begin);
      if (raw == "\n" || raw == "\r\n") {
        continue;
      }
      if (record.bad || record.fields.size() != 2) {
        ++refused;
      } else {
        expected.push_back(record.fields[0].text + "\x02" + record.fields[1].text);
      }
    }
    std::vector<std::string> got;
    got.reserve(out.batch->rows());
    for (size_t row = 0; row < out.batch->rows(); ++row) {
      got.push_back(std::string(out.batch->column(0).Text(row)) + "\x02" +
                    std::string(out.batch->column(1).Text(row)));
    }
    ASSERT_EQ(got, expected) << text;
    ASSERT_EQ(out.errors.size(), refused) << text;
    rows += got.size();
  }
  EXPECT_GT(rows, 5'000U);
}

/// A place where text may be cut is one where a record begins.
TEST(CsvProperty, CutsWhereRecordsBegin) {
  Rng rng(12);
  for (int i = 0; i < 30'000; ++i) {
    const std::string text = RandomText(rng);
    const csv::Dialect dialect = RandomDialect(rng);
    const BufferPtr padded = PaddedBuffer(text);
    const std::string_view part = AsText(padded->bytes()).substr(0, rng.Below(text.size() + 1));
    size_t expected = 0;
    for (const csv::ReferenceRecord& record : csv::ReadAll(dialect, part)) {
      expected = record.ended ? record.end : expected;
    }
    ASSERT_EQ(csv::RecordScanner::WholeRecords(dialect, part), expected) << text << "|" << part;

    csv::RecordScanner scanner(dialect);
    scanner.Begin();
    const auto records = csv::ReadAll(dialect, text);
    size_t end = std::string_view::npos;
    size_t begin = 0;
    while (begin < text.size() && end == std::string_view::npos) {
      const std::string_view piece = std::string_view(text).substr(begin, 1 + rng.Below(3));
      end = scanner.FindEnd(piece);
      end = end == std::string_view::npos ? end : end + begin;
      begin += piece.size();
    }
    const bool ends = !records.empty() && records[0].ended;
    ASSERT_EQ(end, ends ? records[0].end : std::string_view::npos) << text;
  }
}

}  // namespace
}  // namespace millrace
