#include <benchmark/benchmark.h>

#include "millrace/base/check.h"
#include "millrace/codec/columnar.h"

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

}  // namespace
}  // namespace millrace::bench
