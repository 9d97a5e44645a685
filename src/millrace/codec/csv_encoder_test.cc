#include "millrace/codec/csv_encoder.h"

#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/codec/csv_decoder.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/random_batch.h"

namespace millrace {
namespace {

BatchPtr Texts(const std::vector<std::optional<std::string>>& texts) {
  ColumnBuilder builder(DataType::Of(TypeId::kText));
  for (const auto& text : texts) {
    text ? builder.AppendText(*text) : builder.AppendNull();
  }
  return Batch::Make(MakeSchema({{.name = "a \"b\"", .type = builder.type()}}), {builder.Finish()},
                     texts.size());
}

TEST(RowCsvWriter, QuotesWhatMustBe) {
  const BatchPtr batch = Texts({"a", "", std::nullopt, "a,b", "a\"b", "a\nb", "a\r", " a", "NULL"});
  std::string csv;
  const RowCsvWriter plain({}, "");
  plain.AppendHeader(batch->schema(), csv);
  for (size_t row = 0; row < batch->rows(); ++row) {
    plain.Append(*batch, row, csv);
  }
  EXPECT_EQ(csv, "\"a \"\"b\"\"\"\na\n\"\"\n\n\"a,b\"\n\"a\"\"b\"\n\"a\nb\"\n\"a\r\"\n a\nNULL\n");
  csv.clear();
  const RowCsvWriter other({.delimiter = ' ', .quote = '\''}, "NULL");
  for (size_t row = 0; row < batch->rows(); ++row) {
    other.Append(*batch, row, csv);
  }
  EXPECT_EQ(csv, "a\n\nNULL\na,b\na\"b\n'a\nb'\n'a\r'\n' a'\n'NULL'\n");
}

/// Writes a batch and reads it back.
void RoundTrip(const BatchPtr& batch, const csv::Dialect& dialect, const std::string& null_text) {
  const RowCsvWriter writer(dialect, null_text);
  std::string csv;
  for (size_t row = 0; row < batch->rows(); ++row) {
    writer.Append(*batch, row, csv);
  }
  CsvDecoder decoder(batch->schema_ptr(),
                     {.dialect = dialect, .header = false, .null_text = null_text});
  DecodedRecords out;
  decoder.Decode(PaddedBuffer(csv), out);
  ASSERT_TRUE(out.errors.empty()) << out.errors.front().message << "\n" << csv;
  ASSERT_TRUE(SameRows(*out.batch, *batch)) << csv;
}

TEST(RowCsvWriter, WritesWhatTheDecoderReadsBack) {
  constexpr std::string_view kPieces = "a0,\"'\n\r\t \\N;";
  const std::pair<csv::Dialect, std::string> dialects[] = {
      {{}, ""}, {{.delimiter = '\t', .quote = '\''}, "\\N"}, {{.delimiter = '0'}, "null"}};
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed);
    const auto& [dialect, null_text] = dialects[seed % std::size(dialects)];
    RoundTrip(RandomBatch(rng, SchemaOfAllTypes(), 30, 0.2, 0.3), dialect, null_text);
    std::vector<std::optional<std::string>> texts;
    for (int row = 0; row < 50; ++row) {
      std::string text(rng.Below(6), ' ');
      for (char& c : text) {
        c = kPieces[rng.Below(kPieces.size())];
      }
      texts.push_back(rng.Chance(0.1) ? std::nullopt : std::optional(text));
    }
    RoundTrip(Texts(texts), dialect, null_text);
  }
}

}  // namespace
}  // namespace millrace
