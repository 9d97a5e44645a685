#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/app/simulated_events_testing.h"
#include "millrace/app/simulated_machine_testing.h"
#include "millrace/connect/idempotency_store.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/pipeline_runner.h"

namespace millrace::simulation {

/// Ingest, transport and pipelines in one thread, on a machine that fails, under a random load that
/// is the same for the same seed. Producers send their records in order, each the next request when
/// the last one is answered, and after a restart the same one again with the same Idempotency-Key.
///
/// Every function returns what is wrong, if anything; after that the object is of no more use.
class EngineSimulation {
 public:
  using Failure = std::optional<std::string>;

  /// `machine` outlives the simulation.
  EngineSimulation(uint64_t seed, SimulatedMachine& machine);
  ~EngineSimulation();

  /// One life: starts, takes up to `steps` steps, ends at once.
  Failure Live(const FaultPlan& plan, size_t steps);

  /// A life without faults to the end of all work, in which every answer must be right; ends it.
  Failure LiveAndCompare(size_t steps);

 private:
  struct Producer {
    uint64_t acked = 0;  ///< Records [0, acked) are acknowledged.
    uint64_t count = 0;  ///< Records of the request that is on its way or to be sent again.
    bool in_flight = false;
  };

  /// Whether all of it started.
  bool Start(const FaultPlan& plan);
  void End();
  bool Started(const Error& error);
  void Step();
  void StepRunner(PipelineRunner& runner);
  void Send(uint32_t producer);
  void Take(uint32_t producer, const IdempotencyStore::Key& key, uint64_t body_hash,
            std::string_view body);
  void Answered(uint32_t producer, const Result<IdempotencyStore::AnswerPtr>& answer);
  Failure Drain();
  Failure CompareServed(Transport& transport);

  const uint64_t seed_;
  SimulatedMachine& machine_;
  Rng rng_;
  ManualClock clock_;
  WorkerPool workers_{1};
  const size_t state_partitions_;

  Transport* transport_ = nullptr;
  std::unique_ptr<IdempotencyStore> store_;
  std::unique_ptr<StreamIngestor> ingestor_;
  std::map<std::string, std::unique_ptr<PipelineRunner>> runners_;

  std::vector<Producer> producers_{kProducers};
  bool worked_ = false;   // In the last step.
  bool stopped_ = false;  // A pipeline, by an error.
  Failure wrong_;
};

/// The scenarios, each for one seed. They return a failure with all that is needed to repeat it.
EngineSimulation::Failure EngineCrashAtOperation(uint64_t seed, uint64_t operation);
/// Adds the number of operations, each of which was crashed at, to `operations`.
EngineSimulation::Failure EngineCrashAtEveryOperation(uint64_t seed, uint64_t* operations);
EngineSimulation::Failure EngineCrashManyTimes(uint64_t seed);
EngineSimulation::Failure EngineFaults(uint64_t seed);
EngineSimulation::Failure EngineAborts(uint64_t seed);

}  // namespace millrace::simulation
