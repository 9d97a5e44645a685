#pragma once

#include <memory>
#include <optional>

#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace::simulation {

/// What a simulated platform runs on: a transport whose process can end at any moment and start
/// again. It does nothing by itself.
class SimulatedMachine {
 public:
  virtual ~SimulatedMachine() = default;

  /// Begins a life. Fails only by a fault of `plan`, which not every machine knows.
  virtual Result<Transport*> Start(const FaultPlan& plan) = 0;
  /// Lets the transport do something of its own; false when there is nothing to do.
  virtual bool Work() = 0;
  /// Lets no more faults happen, in this life and the next ones.
  virtual void Calm() = 0;
  /// Whether this life has met a fault and can only end.
  virtual bool failed() const = 0;
  /// Ends the process at once; then every commit has been answered, the undecided ones with
  /// kUnknown.
  virtual void Kill() = 0;
  /// Frees the transport after Kill; whatever refers to it must be gone.
  virtual void End() = 0;
};

/// The embedded transport on a disk that loses what is not synced.
class DiskMachine final : public SimulatedMachine {
 public:
  explicit DiskMachine(uint64_t seed);

  Result<Transport*> Start(const FaultPlan& plan) override;
  bool Work() override;
  void Calm() override;
  bool failed() const override;
  void Kill() override;
  void End() override;

  SimulatedFileSystem& files() { return files_; }
  uint64_t operations_of_last_life() const { return operations_; }

 private:
  Rng rng_;
  SimulatedFileSystem files_;
  EmbeddedTransport::Options options_;
  std::unique_ptr<EmbeddedTransport> transport_;
  uint64_t operations_ = 0;
};

/// The memory transport, which aborts epochs now and then, and fails so that nobody knows what
/// became of the last one.
class AbortingMachine final : public SimulatedMachine {
 public:
  explicit AbortingMachine(uint64_t seed);

  Result<Transport*> Start(const FaultPlan& plan) override;
  bool Work() override;
  void Calm() override;
  bool failed() const override;
  void Kill() override;
  void End() override;

 private:
  Rng rng_;
  const std::unique_ptr<MemoryTransport> transport_;
};

}  // namespace millrace::simulation
