#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/csv_decoder.h"
#include "millrace/codec/csv_testing.h"
#include "millrace/codec/json_encoder.h"

namespace millrace {

namespace {

CsvDecoderOptions Options(uint8_t bits) {
  constexpr csv::Dialect kDialects[] = {
      {}, {.escape = '\\'}, {.delimiter = '\t', .quote = '\''}, {.delimiter = ';', .quote = '\0'}};
  return {.dialect = kDialects[bits & 3],
          .header = (bits & 4) != 0,
          .null_text = (bits & 8) != 0 ? "NULL" : "",
          .undeclared = (bits & 16) != 0 ? UndeclaredFields::kError : UndeclaredFields::kIgnore,
          .record_bytes_max = 1000,
          .keep_originals = true};
}

SchemaPtr FuzzSchema() {
  return MakeSchema({{.name = "i", .type = DataType::Of(TypeId::kInt32)},
                     {.name = "t", .type = DataType::Of(TypeId::kText)},
                     {.name = "n", .type = DataType::Numeric(12, 2)},
                     {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
}

struct Outcome {
  std::string rows;
  size_t records = 0;
  size_t errors = 0;
};

/// Decodes the pieces of a file one after the other.
Outcome Decode(const CsvDecoderOptions& options, const std::vector<std::string_view>& pieces) {
  CsvDecoder decoder(FuzzSchema(), options);
  Outcome outcome;
  for (size_t i = 0; i < pieces.size(); ++i) {
    BufferPtr body = PaddedBuffer(pieces[i]);
    if (i == 0) {
      const size_t header = decoder.TakeHeader(AsText(body->bytes()));
      body = std::make_shared<const Buffer>(body->bytes().subspan(header), body);
    }
    DecodedRecords out;
    decoder.Decode(body, out);
    MR_CHECK(out.records == out.batch->rows() + out.errors.size());
    MR_CHECK(out.originals.size() == out.batch->rows());
    const std::string_view text = AsText(body->bytes());
    for (const RecordError& error : out.errors) {
      MR_CHECK(error.original.data() >= text.data() &&
               error.original.data() + error.original.size() <= text.data() + text.size());
    }
    const RowJsonWriter writer(out.batch->schema());
    for (size_t row = 0; row < out.batch->rows(); ++row) {
      writer.Append(*out.batch, row, outcome.rows);
    }
    outcome.records += out.records;
    outcome.errors += out.errors.size();
  }
  return outcome;
}

}  // namespace

/// The first byte chooses the options, the second where the text is cut. A file in two pieces gives
/// what it gives whole, and as many records as the plainest reader finds.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) {
    return 0;
  }
  const CsvDecoderOptions options = Options(data[0]);
  const BufferPtr padded = PaddedBuffer({reinterpret_cast<const char*>(data) + 2, size - 2});
  const std::string_view text = AsText(padded->bytes());
  const size_t part = text.size() * data[1] / 256;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const Outcome whole = Decode(options, {text});
  if (part > mark) {
    const size_t cut =
        csv::RecordScanner::WholeRecords(options.dialect, text.substr(mark, part - mark));
    if (cut > 0) {
      const Outcome pieces = Decode(options, {text.substr(0, mark + cut), text.substr(mark + cut)});
      MR_CHECK(pieces.rows == whole.rows && pieces.errors == whole.errors);
    }
  }
  if (!options.header) {
    size_t expected = 0;
    for (const csv::ReferenceRecord& record : csv::ReadAll(options.dialect, text.substr(mark))) {
      const std::string_view raw = text.substr(mark + record.begin, record.end - record.begin);
      expected += raw == "\n" || raw == "\r\n" ? 0 : 1;
    }
    MR_CHECK(whole.records == expected, "{} {}", whole.records, expected);
  }
  return 0;
}

}  // namespace millrace
