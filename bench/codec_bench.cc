#include <benchmark/benchmark.h>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/columnar.h"
#include "millrace/codec/csv_decoder.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

#include "records.h"

namespace millrace::bench {
namespace {

/// About 256 KiB of NDJSON, the body of the ingest target.
constexpr size_t kRows = 1140;

using Make = Records (*)(size_t, uint64_t);

void ReportPerRecord(benchmark::State& state, const Records& records) {
  state.counters["ns/record"] = benchmark::Counter(
      static_cast<double>(records.batch->rows()) / 1e9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["json_bytes"] =
      static_cast<double>(records.ndjson.size()) / static_cast<double>(records.batch->rows());
}

void EncodeColumnarBatch(benchmark::State& state, Make make) {
  const Records records = make(kRows, 1);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    EncodeColumnar(*records.batch, out);
    benchmark::DoNotOptimize(out.data());
  }
  ReportPerRecord(state, records);
  state.counters["bytes/record"] = static_cast<double>(out.size()) / kRows;
}
BENCHMARK_CAPTURE(EncodeColumnarBatch, bids, NexmarkBids);
BENCHMARK_CAPTURE(EncodeColumnarBatch, clicks, WebClicks);

void DecodeColumnarBatch(benchmark::State& state, Make make) {
  const Records records = make(kRows, 1);
  Bytes out;
  EncodeColumnar(*records.batch, out);
  const BufferPtr payload = Buffer::Own(std::move(out));
  for (auto _ : state) {
    const auto batch = DecodeColumnar(records.schema, payload);
    MR_CHECK(batch.has_value());
    benchmark::DoNotOptimize(batch->get());
  }
  ReportPerRecord(state, records);
}
BENCHMARK_CAPTURE(DecodeColumnarBatch, bids, NexmarkBids);
BENCHMARK_CAPTURE(DecodeColumnarBatch, clicks, WebClicks);

void DecodeJson(benchmark::State& state, Make make) {
  const Records records = make(kRows, 1);
  const BufferPtr body = PaddedBuffer(records.ndjson);
  JsonDecoder decoder(records.schema, {});
  DecodedRecords out;
  for (auto _ : state) {
    decoder.Decode(body, out);
    benchmark::DoNotOptimize(out.batch.get());
  }
  MR_CHECK(out.batch->rows() == kRows && out.errors.empty());
  ReportPerRecord(state, records);
}
BENCHMARK_CAPTURE(DecodeJson, bids, NexmarkBids);
BENCHMARK_CAPTURE(DecodeJson, clicks, WebClicks);

/// The records as CSV, all texts quoted or none.
std::string Csv(const Batch& batch, bool quoted) {
  std::string csv;
  for (size_t row = 0; row < batch.rows(); ++row) {
    for (size_t i = 0; i < batch.columns().size(); ++i) {
      const DataType type = batch.schema().field(i).type;
      const bool quote = quoted && type.id == TypeId::kText;
      csv += i == 0 ? "" : ",";
      csv += quote ? "\"" : "";
      AppendValueText(csv, ValueAt(batch.column(i), row), type);
      csv += quote ? "\"" : "";
    }
    csv += '\n';
  }
  return csv;
}

void DecodeCsv(benchmark::State& state, Make make, bool quoted) {
  const Records records = make(kRows, 1);
  const std::string csv = Csv(*records.batch, quoted);
  const BufferPtr body = PaddedBuffer(csv);
  CsvDecoder decoder(records.schema, {.header = false});
  DecodedRecords out;
  for (auto _ : state) {
    MR_CHECK(csv::RecordScanner::WholeRecords({}, AsText(body->bytes())) == csv.size());
    decoder.Decode(body, out);
    benchmark::DoNotOptimize(out.batch.get());
  }
  MR_CHECK(out.batch->rows() == kRows && out.errors.empty());
  ReportPerRecord(state, records);
  state.counters["csv_bytes"] = static_cast<double>(csv.size()) / kRows;
}
BENCHMARK_CAPTURE(DecodeCsv, bids, NexmarkBids, false);
BENCHMARK_CAPTURE(DecodeCsv, bids_quoted, NexmarkBids, true);
BENCHMARK_CAPTURE(DecodeCsv, clicks, WebClicks, false);

/// Each record is a body of its own: the cost of a batch of one row.
void DecodeJsonAlone(benchmark::State& state, Make make) {
  const Records records = make(kRows, 1);
  std::vector<BufferPtr> bodies;
  for (size_t begin = 0; begin < records.ndjson.size();) {
    const size_t end = records.ndjson.find('\n', begin) + 1;
    bodies.push_back(PaddedBuffer(records.ndjson.substr(begin, end - begin)));
    begin = end;
  }
  JsonDecoder decoder(records.schema, {});
  DecodedRecords out;
  for (auto _ : state) {
    for (const BufferPtr& body : bodies) {
      decoder.Decode(body, out);
      benchmark::DoNotOptimize(out.batch.get());
    }
  }
  ReportPerRecord(state, records);
}
BENCHMARK_CAPTURE(DecodeJsonAlone, clicks, WebClicks);

}  // namespace
}  // namespace millrace::bench
