#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "millrace/base/check.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/connect/nexmark/nexmark_json.h"
#include "millrace/connect/nexmark/nexmark_rows.h"

namespace millrace::bench {
namespace {

constexpr size_t kBlockRows = 8192;

using Names = std::vector<std::string>;

const Names& BidNumbers() {
  static const Names kNames = {"date_time", "bid_auction", "bid_bidder", "bid_price"};
  return kNames;
}

const Names& Bids() {
  static const Names kNames = {"event_type", "date_time",   "bid_auction", "bid_bidder",
                               "bid_price",  "bid_channel", "bid_url",     "bid_extra"};
  return kNames;
}

Names All() {
  Names names;
  for (const nexmark::EventColumn& column : nexmark::AllColumns()) {
    if (column.json_key != "dateTime") {
      names.emplace_back(column.name);
    }
  }
  return names;
}

SchemaPtr SchemaOf(const Names& names) {
  std::vector<Field> fields;
  for (const std::string& name : names) {
    fields.push_back({.name = name, .type = nexmark::FindColumn(name)->type});
  }
  return MakeSchema(std::move(fields));
}

FieldPaths PathsOf(const Names& names) {
  constexpr const char* kKinds[] = {"person", "auction", "bid"};
  FieldPaths paths;
  for (const std::string& name : names) {
    const nexmark::EventColumn& column = *nexmark::FindColumn(name);
    if (!column.of_all) {
      paths[name] = {{kKinds[static_cast<size_t>(column.kind)], std::string(column.json_key)}};
    } else if (name == "date_time") {
      paths[name] = {{"person", "dateTime"}, {"auction", "dateTime"}, {"bid", "dateTime"}};
    }
  }
  return paths;
}

void ReportPerEvent(benchmark::State& state, size_t events) {
  state.counters["ns/event"] = benchmark::Counter(
      static_cast<double>(events) / 1e9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void MakeEvents(benchmark::State& state, const Names& names) {
  nexmark::NexmarkRows rows(SchemaOf(names), {});
  uint64_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rows.Make(next, kBlockRows).get());
    next += kBlockRows;
  }
  ReportPerEvent(state, kBlockRows);
}
BENCHMARK_CAPTURE(MakeEvents, bid_numbers, BidNumbers());
BENCHMARK_CAPTURE(MakeEvents, bids, Bids());
BENCHMARK_CAPTURE(MakeEvents, all, All());

void DecodeEvents(benchmark::State& state, const Names& names) {
  constexpr size_t kEvents = 1600;  // About half a MiB, the block of a file.
  std::string lines;
  nexmark::AppendJsonLines(*nexmark::NexmarkRows(nexmark::FullSchema(), {}).Make(0, kEvents),
                           lines);
  const BufferPtr body = PaddedBuffer(lines);
  JsonDecoder decoder(SchemaOf(names), {.paths = PathsOf(names)});
  DecodedRecords out;
  for (auto _ : state) {
    decoder.Decode(body, out);
    benchmark::DoNotOptimize(out.batch.get());
  }
  MR_CHECK(out.batch->rows() == kEvents && out.errors.empty());
  ReportPerEvent(state, kEvents);
  state.counters["json_bytes"] = static_cast<double>(lines.size()) / kEvents;
}
BENCHMARK_CAPTURE(DecodeEvents, bid_numbers, BidNumbers());
BENCHMARK_CAPTURE(DecodeEvents, bids, Bids());
BENCHMARK_CAPTURE(DecodeEvents, all, All());

}  // namespace
}  // namespace millrace::bench
