#include "millrace/app/simulated_machine_testing.h"

namespace millrace::simulation {

namespace {

template <typename T>
T OneOf(Rng& rng, std::initializer_list<T> values) {
  return values.begin()[rng.Below(values.size())];
}

SimulatedDiskOptions DiskOptions(Rng& rng) {
  SimulatedDiskOptions options;
  options.write_lost = OneOf(rng, {0.0, 0.3, 1.0});
  options.write_kept = options.write_lost == 1.0 ? 0.0 : OneOf(rng, {0.1, 0.3, 0.7});
  return options;
}

}  // namespace

DiskMachine::DiskMachine(uint64_t seed) : rng_(seed), files_(rng_.Next(), DiskOptions(rng_)) {
  options_.manual = true;
  options_.journal_file_bytes = OneOf<uint64_t>(rng_, {4096, 16384, 65536});
  options_.segment_bytes = OneOf<uint64_t>(rng_, {4096, 65536});
  options_.direct_bytes_min = OneOf<uint64_t>(rng_, {300, 1000, 1 << 20});
  options_.round_bytes_max = OneOf<uint64_t>(rng_, {1, 1 << 20});
  options_.cache_bytes_max = OneOf<size_t>(rng_, {0, 1 << 20});
}

Result<Transport*> DiskMachine::Start(const FaultPlan& plan) {
  files_.SetFaults(plan);
  MR_ASSIGN(transport_, EmbeddedTransport::Open(files_, "/data", options_));
  return transport_.get();
}

bool DiskMachine::Work() {
  const bool copied = rng_.Chance(0.3) && transport_->RunCopier();
  return transport_->RunRound() || copied || transport_->RunCopier();
}

void DiskMachine::Calm() { files_.SetFaults({}); }

bool DiskMachine::failed() const {
  return files_.crashed() || (transport_ != nullptr && transport_->failed());
}

void DiskMachine::Kill() {
  operations_ = files_.operations_count();
  files_.Crash();
  if (transport_ != nullptr) {
    transport_->RunRound();
  }
}

void DiskMachine::End() {
  transport_.reset();
  files_.Restart();
}

AbortingMachine::AbortingMachine(uint64_t seed)
    : rng_(seed), transport_(MemoryTransport::Delayed()) {
  transport_->SetProbabilities(rng_.Next(), {.aborted = 0.15, .unknown = 0.01});
}

Result<Transport*> AbortingMachine::Start(const FaultPlan&) { return transport_.get(); }

bool AbortingMachine::Work() { return transport_->Decide(1 + rng_.Below(3)) > 0; }

void AbortingMachine::Calm() { transport_->SetProbabilities(0, {}); }

bool AbortingMachine::failed() const { return transport_->failed(); }

void AbortingMachine::Kill() {
  transport_->Script({CommitOutcome::kUnknown});
  transport_->BeginEpoch()->CommitAsync({});
  transport_->Decide();
}

void AbortingMachine::End() { transport_->Restart(); }

}  // namespace millrace::simulation
