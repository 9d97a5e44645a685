#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/embedded/simulated_workload_testing.h"

namespace millrace::simulation {

/// One embedded transport on one simulated disk, under a random workload that is the same for the
/// same seed, with an oracle beside it. Lives end by crashes and other faults; each next one must
/// find a prefix of the submitted epochs that holds every acknowledged one, whole and unchanged.
///
/// Every function returns what is wrong, if anything; after that the object is of no more use.
class CrashSimulation {
 public:
  using Failure = std::optional<std::string>;

  explicit CrashSimulation(uint64_t seed);
  ~CrashSimulation();

  /// Opens the directory and compares what it holds. Tries again while the disk is full, if that is
  /// planned; true when a fault of `plan` ended the life instead.
  struct Opened {
    Failure failure;
    bool ended = false;
  };
  Opened Open(const FaultPlan& plan = {});

  /// Takes steps of the workload until `steps` are done or the transport has failed.
  Failure Run(size_t steps);
  /// Commits all that was submitted, and with `copy` lets the copier come to rest; fails when that
  /// does not happen, except after a failure of the disk.
  Failure Drain(bool copy);
  /// Ends this life: the machine crashes, or only the process ends.
  void End(bool machine_crashes);

  /// Opens once more without faults, and checks that the transport still works.
  Failure CheckRecovery(size_t steps);

  /// Damages the directory of a life that ended: a bit of a file, or a whole file that vanishes.
  /// Returns what it did.
  std::string Damage();
  /// Opens the damaged directory: refused, or everything acknowledged is there or reported.
  Failure CheckDamaged();

  SimulatedFileSystem& files() { return *files_; }
  const EmbeddedTransport* transport() const { return transport_.get(); }
  bool fault_hit_sync() const;

 private:
  EmbeddedTransport::Options MakeOptions();
  Result<std::unique_ptr<EmbeddedTransport>> OpenTransport();
  Failure CompareRecovered(bool damaged);
  Failure Step();
  Failure Submit();
  Failure Read();
  Failure CreateStream();
  void Acknowledge(size_t number, const std::vector<std::pair<Offset, Offset>>& ranges,
                   const CommitResult& result);
  std::vector<std::string> FilesBelow(const std::string& path);

  Rng rng_;
  std::unique_ptr<SimulatedFileSystem> files_;
  EmbeddedTransport::Options options_;
  std::unique_ptr<EmbeddedTransport> transport_;

  std::vector<std::string> streams_;  // Acknowledged creations.
  std::optional<std::string> creating_;
  std::vector<PlannedEpoch> epochs_;  // Submitted, and not lost.
  ExpectedState appended_;
  size_t acknowledged_ = 0;
  bool fatal_ = false;
  Failure wrong_;  // Seen inside a callback.
};

/// The scenarios, each for one seed. They return a failure with all that is needed to repeat it.
CrashSimulation::Failure CrashAtOperation(uint64_t seed, uint64_t operation);
CrashSimulation::Failure CrashAtEveryOperation(uint64_t seed, uint64_t* operations);
CrashSimulation::Failure CrashManyTimes(uint64_t seed);
CrashSimulation::Failure FillDisk(uint64_t seed);
CrashSimulation::Failure FailOperation(uint64_t seed);
CrashSimulation::Failure DamageFiles(uint64_t seed);

}  // namespace millrace::simulation
