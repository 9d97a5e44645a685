#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>

#include <benchmark/benchmark.h>

#include "millrace/base/bytes.h"
#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/embedded/journal.h"

#include "records.h"

// The embedded transport alone, on the disk of the working directory. Every figure of throughput
// stands beside the disk's own time to sync 4 KiB.

namespace millrace::bench {
namespace {

constexpr char kPath[] = "stream_bench.data";
constexpr size_t kRows = 1000;

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double Percentile(std::vector<double>& values, double part) {
  std::ranges::sort(values);
  return values.empty()
             ? 0
             : values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

/// A directory that is empty before and gone after a benchmark.
struct Directory {
  Directory() { std::filesystem::remove_all(kPath); }
  ~Directory() { std::filesystem::remove_all(kPath); }
};

/// Commits epochs of `batches` batches, at most two in flight.
class Writer {
 public:
  Writer(EmbeddedTransport& transport, StreamId stream) : transport_(transport), stream_(stream) {}
  ~Writer() { WaitFor(0); }

  void Commit(const BatchPtr& batch, int64_t batches) {
    auto epoch = transport_.BeginEpoch();
    for (int64_t i = 0; i < batches; ++i) {
      epoch->Append(stream_, PartitionId(static_cast<uint32_t>(i % 4)), batch, {});
    }
    WaitFor(1);
    {
      MutexLock lock(mutex_);
      ++in_flight_;
    }
    epoch->CommitAsync([this](const CommitResult& result) {
      MR_CHECK(result.outcome == CommitOutcome::kCommitted);
      MutexLock lock(mutex_);
      --in_flight_;
      decided_.NotifyAll();
    });
  }

  void WaitFor(int in_flight_max) {
    MutexLock lock(mutex_);
    while (in_flight_ > in_flight_max) {
      decided_.Wait(mutex_);
    }
  }

 private:
  EmbeddedTransport& transport_;
  const StreamId stream_;
  Mutex mutex_;
  CondVar decided_;
  int in_flight_ MR_GUARDED_BY(mutex_) = 0;
};

struct Opened {
  PosixFileSystem files;
  std::unique_ptr<EmbeddedTransport> transport;
  StreamId stream;

  Opened(EmbeddedTransport::Options options, const SchemaPtr& schema) {
    options.on_fatal = [](const Error& error) { MR_CHECK(false, "{}", error.ToString()); };
    auto opened = EmbeddedTransport::Open(files, kPath, std::move(options));
    MR_CHECK(opened.has_value(), "{}", opened.error().ToString());
    transport = *std::move(opened);
    stream = *transport->CreateStream(
        {.name = "bids", .partitions = 4, .schema = schema, .properties = {}});
  }
};

void SetRates(benchmark::State& state, double events, double cpu_seconds) {
  state.counters["events/s"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["cpu_s/M"] = cpu_seconds / events * 1e6;
}

/// 4 KiB written and synced: over zeros, or at the end of a growing file.
void SyncDisk(benchmark::State& state) {
  const Directory directory;
  const bool grows = state.range(0) != 0;
  PosixFileSystem files;
  MR_CHECK(files.CreateDirectories(kPath).has_value());
  auto file = *files.Open(JoinPath(kPath, "file"), OpenMode::kCreate);
  constexpr uint64_t kFileBytes = 16 << 20;
  if (!grows) {
    MR_CHECK(FillWithZeros(*file, 0, kFileBytes).has_value());
    MR_CHECK(file->Sync().has_value());
  }
  const SystemClock clock;
  const Bytes block(4096, std::byte{7});
  std::vector<double> millis;
  uint64_t at = 0;
  for (auto _ : state) {
    const auto begin = clock.Monotonic();
    MR_CHECK(file->WriteAt(at, block).has_value());
    MR_CHECK(file->Sync().has_value());
    millis.push_back(std::chrono::duration<double, std::milli>(clock.Monotonic() - begin).count());
    at = grows ? at + block.size() : (at + block.size()) % kFileBytes;
  }
  state.counters["p50_ms"] = Percentile(millis, 0.5);
  state.counters["p99_ms"] = Percentile(millis, 0.99);
}
BENCHMARK(SyncDisk)->ArgName("grows")->Arg(0)->Arg(1)->Iterations(300);

/// Epochs of some batches of 1,000 bids, durable. direct_kib: from which size on frames go to a
/// segment at once.
void Append(benchmark::State& state) {
  const Directory directory;
  const Records bids = NexmarkBids(kRows, 1);
  EmbeddedTransport::Options options;
  options.direct_bytes_min = static_cast<uint64_t>(state.range(1)) << 10;
  Opened opened(std::move(options), bids.schema);
  const double cpu_before = CpuSeconds();
  {
    Writer writer(*opened.transport, opened.stream);
    for (auto _ : state) {
      writer.Commit(bids.batch, state.range(0));
    }
  }
  const auto events = static_cast<double>(state.iterations() * state.range(0)) * kRows;
  SetRates(state, events, CpuSeconds() - cpu_before);
  state.counters["rounds"] = static_cast<double>(opened.transport->rounds());
}
BENCHMARK(Append)
    ->ArgNames({"batches", "direct_kib"})
    ->ArgsProduct({{1, 4, 16, 64}, {64, 256, 1024, 1 << 20}})
    ->UseRealTime()
    ->MinTime(2);

/// Everything read back from files that the operating system may hold in memory.
void Read(benchmark::State& state) {
  const Directory directory;
  const Records bids = NexmarkBids(kRows, 1);
  EmbeddedTransport::Options options;
  options.cache_bytes_max = 0;
  Opened opened(std::move(options), bids.schema);
  {
    Writer writer(*opened.transport, opened.stream);
    for (int i = 0; i < 50; ++i) {
      writer.Commit(bids.batch, 16);
    }
  }
  double events = 0;
  const double cpu_before = CpuSeconds();
  for (auto _ : state) {
    for (uint32_t p = 0; p < 4; ++p) {
      auto cursor = opened.transport->OpenCursor(opened.stream, PartitionId(p), Offset(0),
                                                 Visibility::kDurable);
      for (auto frames = *cursor->Poll(1 << 20); !frames.empty(); frames = *cursor->Poll(1 << 20)) {
        for (const StreamFrame& frame : frames) {
          events += frame.count;
        }
      }
    }
  }
  SetRates(state, events, CpuSeconds() - cpu_before);
}
BENCHMARK(Read)->UseRealTime()->MinTime(2);

}  // namespace
}  // namespace millrace::bench
