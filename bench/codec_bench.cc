#include <benchmark/benchmark.h>

#include "millrace/base/check.h"
#include "millrace/codec/columnar.h"
#include "millrace/codec/json_decoder.h"

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
