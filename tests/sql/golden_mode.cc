#include "golden_mode.h"

#include "millrace/base/check.h"
#include "millrace/base/rng.h"
#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace::golden {

namespace {

/// Commits wait for Pump, so that up to two epochs of a pipeline are in flight.
class MemoryStage final : public Stage {
 public:
  explicit MemoryStage(const Mode& mode) : mode_(mode), rng_(mode.seed) {}

  Transport& transport() override { return *transport_; }
  bool Pump() override {
    // An abort takes along what comes before it is decided, so that now and then all must be.
    return transport_->Decide(rng_.Chance(0.5) ? SIZE_MAX : 1 + rng_.Below(3)) > 0;
  }
  void Arm(bool armed) override {
    const MemoryTransport::Probabilities none;
    transport_->SetProbabilities(
        rng_.Next(),
        armed ? MemoryTransport::Probabilities{.aborted = mode_.aborted, .unknown = mode_.unknown}
              : none);
  }
  /// The transport does not tell; whoever commits finds out.
  bool ended() const override { return false; }
  void Restart() override { transport_->Restart(); }

 private:
  const Mode mode_;
  Rng rng_;
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Delayed();
};

class DiskStage final : public Stage {
 public:
  DiskStage(const Mode& mode, const Clock& clock)
      : mode_(mode), clock_(clock), rng_(mode.seed), files_(rng_.Next()) {
    Open();
  }

  Transport& transport() override { return *transport_; }

  bool Pump() override {
    const bool copied = rng_.Chance(0.2) && transport_->RunCopier();
    return transport_->RunRound() || copied;
  }

  void Arm(bool armed) override {
    // A round is a write and a sync or a few of them; the copier's steps are more.
    constexpr uint64_t kOperationsMax = 40;
    FaultPlan plan;
    if (armed && mode_.crashes) {
      plan.crash_at = files_.operations_count() + 1 + rng_.Below(kOperationsMax);
    }
    files_.SetFaults(plan);
  }

  bool ended() const override { return files_.crashed() || transport_->failed(); }

  void Restart() override {
    if (mode_.crashes) {
      files_.Crash();
    }
    transport_.reset();
    files_.Restart();
    Open();
  }

 private:
  void Open() {
    EmbeddedTransport::Options options;
    options.manual = true;
    options.journal_file_bytes = 16 << 10;
    options.direct_bytes_min = 1 << 10;
    options.cache_bytes_max = 4 << 10;
    auto opened = EmbeddedTransport::Open(files_, clock_, "/data", options);
    MR_CHECK(opened.has_value(), "{}", opened.error().ToString());
    transport_ = *std::move(opened);
  }

  const Mode mode_;
  const Clock& clock_;
  Rng rng_;
  SimulatedFileSystem files_;
  std::unique_ptr<EmbeddedTransport> transport_;
};

}  // namespace

std::vector<Mode> AllModes() {
  return {
      {.name = "plain"},
      {.name = "rows", .batch_rows = 1},
      {.name = "workers", .workers = 4},
      {.name = "rows_workers", .batch_rows = 1, .workers = 4},
      {.name = "restarts", .batch_rows = 1, .restarts = true},
      {.name = "aborts", .batch_rows = 1, .aborted = 0.4, .seed = 1},
      {.name = "aborts_restarts", .restarts = true, .aborted = 0.3, .seed = 2},
      {.name = "unknown", .batch_rows = 1, .unknown = 0.3, .seed = 3},
      {.name = "disk", .workers = 4, .on_disk = true, .seed = 4},
      {.name = "crashes1", .batch_rows = 1, .on_disk = true, .crashes = true, .seed = 5},
      {.name = "crashes2", .workers = 4, .on_disk = true, .crashes = true, .seed = 6},
      {.name = "crashes3", .batch_rows = 1, .on_disk = true, .crashes = true, .seed = 7},
  };
}

std::unique_ptr<Stage> Stage::Make(const Mode& mode, const Clock& clock) {
  if (mode.on_disk) {
    return std::make_unique<DiskStage>(mode, clock);
  }
  return std::make_unique<MemoryStage>(mode);
}

}  // namespace millrace::golden
