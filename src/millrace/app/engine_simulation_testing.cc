#include "millrace/app/engine_simulation_testing.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/checksum.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/row_decoder.h"

namespace millrace::simulation {

namespace {

constexpr Micros kWallStart = 1'767'225'600'000'000;  // 2026-01-01
constexpr size_t kSteps = 60;
constexpr std::chrono::seconds kIdleTimeout{30};

PipelineRunner::Options RunnerOptions(Rng& rng, size_t state_partitions) {
  PipelineRunner::Options options;
  options.state_partitions = state_partitions;
  options.epoch_bytes_max = rng.Chance(0.3) ? 1 : 32 << 20;
  options.batch_rows_max = rng.Chance(0.3) ? 2 : 4096;
  options.epochs_in_flight_max = rng.Chance(0.3) ? 1 : 2;
  options.snapshot_bytes_min = rng.Chance(0.5) ? 1 : 2048;
  return options;
}

}  // namespace

EngineSimulation::EngineSimulation(uint64_t seed, SimulatedMachine& machine)
    : seed_(seed),
      machine_(machine),
      rng_(seed),
      clock_(kWallStart),
      state_partitions_(rng_.Chance(0.5) ? 1 : 3) {}

EngineSimulation::~EngineSimulation() { End(); }

bool EngineSimulation::Started(const Error& error) {
  // A full disk at the start ends the process, as a fault does.
  if (!machine_.failed() && error.code() != ErrorCode::kDiskFull &&
      error.code() != ErrorCode::kIoError && error.code() != ErrorCode::kSyncFailed) {
    wrong_ = error.ToString();
  }
  return false;
}

bool EngineSimulation::Start(const FaultPlan& plan) {
  auto transport = machine_.Start(plan);
  if (!transport) {
    return Started(transport.error());
  }
  transport_ = *transport;
  const ProjectDefinition& project = EventsProject();
  auto store = IdempotencyStore::Open(*transport_, clock_);
  if (!store) {
    return Started(store.error());
  }
  store_ = *std::move(store);
  auto ingestor = StreamIngestor::Open(project.tables.front(), *transport_, clock_,
                                       {.json = {}, .idle_timeout = kIdleTimeout});
  if (!ingestor) {
    return Started(ingestor.error());
  }
  ingestor_ = *std::move(ingestor);
  for (const ViewDefinition& view : project.views) {
    auto runner = PipelineRunner::Create(view, project, *transport_, clock_, workers_,
                                         RunnerOptions(rng_, state_partitions_), [] {});
    if (!runner) {
      return Started(runner.error());
    }
    runners_[view.name] = *std::move(runner);
  }
  return true;
}

void EngineSimulation::End() {
  machine_.Kill();
  runners_.clear();
  ingestor_.reset();
  store_.reset();
  transport_ = nullptr;
  machine_.End();
  stopped_ = false;
  for (Producer& producer : producers_) {
    producer.in_flight = false;
  }
}

EngineSimulation::Failure EngineSimulation::Live(const FaultPlan& plan, size_t steps) {
  if (Start(plan)) {
    for (size_t i = 0; i < steps && !machine_.failed() && !stopped_ && !wrong_; ++i) {
      Step();
    }
  }
  End();
  return wrong_;
}

EngineSimulation::Failure EngineSimulation::LiveAndCompare(size_t steps) {
  machine_.Calm();
  if (!Start({})) {
    return wrong_ ? wrong_ : "it does not start without a fault";
  }
  // At once, before anything new could cover it up.
  for (const size_t more : {size_t{0}, steps}) {
    for (size_t i = 0; i < more && !wrong_; ++i) {
      Step();
    }
    if (auto failure = Drain()) {
      return failure;
    }
    ExpectedAnswers expected;
    if (auto failure = expected.Read(seed_, *transport_)) {
      return failure;
    }
    for (uint32_t p = 0; p < kProducers; ++p) {
      if (expected.counts[p] != producers_[p].acked) {
        return fmt::format("producer {}: {} records, {} acknowledged", p, expected.counts[p],
                           producers_[p].acked);
      }
    }
    if (auto failure = expected.Compare(*transport_)) {
      return failure;
    }
    if (auto failure = CompareServed(*transport_)) {
      return failure;
    }
  }
  End();
  return std::nullopt;
}

void EngineSimulation::Step() {
  worked_ = false;
  const double draw = rng_.Unit();
  if (draw < 0.35) {
    Send(static_cast<uint32_t>(rng_.Below(kProducers)));
  } else if (draw < 0.6) {
    worked_ = machine_.Work();
  } else if (draw < 0.97) {
    StepRunner(
        *std::next(runners_.begin(), static_cast<ptrdiff_t>(rng_.Below(runners_.size())))->second);
  } else {
    clock_.Advance(kIdleTimeout + std::chrono::seconds(1));
    ingestor_->Tick();
  }
}

void EngineSimulation::StepRunner(PipelineRunner& runner) {
  const auto progress = runner.Step();
  if (!progress) {
    stopped_ = true;
    if (!machine_.failed() && progress.error().code() != ErrorCode::kIoError) {
      wrong_ = progress.error().ToString();
    }
  }
  worked_ = progress && *progress == PipelineRunner::Progress::kWorked;
}

void EngineSimulation::Send(uint32_t number) {
  Producer& producer = producers_[number];
  if (producer.in_flight) {
    return;
  }
  if (producer.count == 0) {
    producer.count = 1 + rng_.Below(rng_.Chance(0.1) ? 30 : 5);
  }
  producer.in_flight = true;
  const std::string body = EventsBody(seed_, number, producer.acked, producer.count);
  const IdempotencyStore::Key key{"", "events", fmt::format("{}-{}", number, producer.acked)};
  const uint64_t body_hash = Xxh3(body);
  if (store_->Begin(key, body_hash,
                    [this, number](const auto& answer) { Answered(number, answer); })) {
    Take(number, key, body_hash, body);
  }
}

void EngineSimulation::Take(uint32_t number, const IdempotencyStore::Key& key, uint64_t body_hash,
                            std::string_view body) {
  const auto decoded = ingestor_->Decode(PaddedBuffer(body), JsonFraming::kLines);
  MR_CHECK(decoded.errors.empty(), "{}", decoded.errors.front().message);
  const IdempotencyStore::Answer answer{.accepted = decoded.accepted};
  const auto finish = [this, number, key, answer](Result<Offset> offset) {
    Result<IdempotencyStore::AnswerPtr> result;
    if (offset) {
      result = std::make_shared<const IdempotencyStore::Answer>(answer);
    } else {
      result = std::unexpected(offset.error());
    }
    store_->Finish(key, result, offset.value_or(Offset()));
    Answered(number, result);
  };
  const auto add_key = [&](EpochWriter& writer, const std::vector<PartitionId>& partitions) {
    store_->AddTo(writer, key, body_hash, answer, partitions);
  };
  const auto taken = ingestor_->Commit(
      decoded, {}, add_key, [finish, keys = store_->stream()](const CommitResult& result) {
        if (result.outcome != CommitOutcome::kCommitted) {
          return finish(std::unexpected(*result.error));
        }
        const auto range = std::ranges::find(result.ranges, keys, &AppendedRange::stream);
        finish(range == result.ranges.end() ? Offset() : range->begin);
      });
  if (!taken) {
    finish(std::unexpected(taken.error()));
  }
}

void EngineSimulation::Answered(uint32_t number,
                                const Result<IdempotencyStore::AnswerPtr>& answer) {
  Producer& producer = producers_[number];
  producer.in_flight = false;
  if (!answer) {
    return;
  }
  if ((*answer)->accepted != producer.count) {
    wrong_ = fmt::format("producer {}: {} of {} records accepted", number, (*answer)->accepted,
                         producer.count);
  }
  producer.acked += producer.count;
  producer.count = 0;
}

EngineSimulation::Failure EngineSimulation::Drain() {
  constexpr int kRoundsMax = 20'000;
  int quiet = 0;
  for (int i = 0; i < kRoundsMax && !wrong_ && !stopped_; ++i) {
    bool any = machine_.Work();
    for (const auto& [name, runner] : runners_) {
      StepRunner(*runner);
      any = any || worked_ || !runner->caught_up();
    }
    for (uint32_t p = 0; p < kProducers; ++p) {
      // A request that was on its way when a life ended is sent again.
      any = any || producers_[p].count > 0;
      if (producers_[p].count > 0) {
        Send(p);
      }
    }
    quiet = any ? 0 : quiet + 1;
    if (quiet == 2) {
      return machine_.failed() ? Failure("the transport failed without a fault") : std::nullopt;
    }
  }
  if (wrong_) {
    return wrong_;
  }
  return stopped_ ? "a pipeline stopped without a fault" : "it never comes to rest";
}

EngineSimulation::Failure EngineSimulation::CompareServed(Transport& transport) {
  for (const auto& [name, runner] : runners_) {
    if (runner->served_rows() == nullptr) {
      continue;
    }
    const auto root = runner->served_rows()->root();
    const RowJsonWriter writer(*runner->plan().output_schema);
    ExpectedAnswers::Rows served;
    for (size_t page = 0; page < root->pages(); ++page) {
      root->VisitPage(page, [&](std::string_view row, int64_t count) {
        RowDecoder decoder(runner->plan().output_schema);
        decoder.Add(row);
        std::string json;
        writer.Append(*decoder.Finish(), 0, json);
        served[json] += count;
      });
    }
    if (served != NetRows(transport, name)) {
      return fmt::format("view {}: served rows are not those of its stream", name);
    }
  }
  return std::nullopt;
}

namespace {

EngineSimulation::Failure Report(std::string_view scenario, uint64_t seed, std::string_view trace,
                                 EngineSimulation::Failure failure) {
  if (!failure) {
    return failure;
  }
  return fmt::format(
      "{0}, seed {1}: {2}\nrepeat: MILLRACE_SEED={1} MILLRACE_SEEDS=1 "
      "millrace_app_test --gtest_filter='EngineSimulation.{0}'\n{3}",
      scenario, seed, *failure, trace);
}

}  // namespace

EngineSimulation::Failure EngineCrashAtOperation(uint64_t seed, uint64_t operation) {
  DiskMachine machine(seed);
  EngineSimulation simulation(seed, machine);
  auto failure = simulation.Live({.crash_at = operation}, kSteps);
  if (!failure) {
    failure = simulation.LiveAndCompare(10);
  }
  if (failure) {
    failure = fmt::format("crash at operation {}: {}", operation, *failure);
  }
  return Report("AtEveryOperation", seed, machine.files().Trace(), failure);
}

EngineSimulation::Failure EngineCrashAtEveryOperation(uint64_t seed, uint64_t* operations) {
  uint64_t count = 0;
  {
    DiskMachine machine(seed);
    EngineSimulation simulation(seed, machine);
    if (auto failure = simulation.Live({}, kSteps)) {
      return Report("AtEveryOperation", seed, machine.files().Trace(), failure);
    }
    count = machine.operations_of_last_life();
  }
  for (uint64_t operation = 1; operation <= count; ++operation) {
    if (auto failure = EngineCrashAtOperation(seed, operation)) {
      return failure;
    }
  }
  *operations += count;
  return std::nullopt;
}

EngineSimulation::Failure EngineCrashManyTimes(uint64_t seed) {
  DiskMachine machine(seed);
  EngineSimulation simulation(seed, machine);
  Rng rng(seed ^ 0x5eed);
  EngineSimulation::Failure failure;
  for (uint64_t lives = 1 + rng.Below(5); lives > 0 && !failure; --lives) {
    // Small numbers hit the start itself.
    failure = simulation.Live({.crash_at = 1 + rng.Below(rng.Chance(0.3) ? 30 : 200)}, kSteps);
  }
  if (!failure) {
    failure = simulation.LiveAndCompare(20);
  }
  return Report("ManyTimes", seed, machine.files().Trace(), failure);
}

EngineSimulation::Failure EngineFaults(uint64_t seed) {
  DiskMachine machine(seed);
  EngineSimulation simulation(seed, machine);
  Rng rng(seed ^ 0xfa17);
  FaultPlan plan;
  if (rng.Chance(0.6)) {
    plan.disk_full = {.first = 1 + rng.Below(200), .count = 1 + rng.Below(40)};
  } else if (rng.Chance(0.7)) {
    plan.write_errors = {.first = 1 + rng.Below(200), .count = 1};
  } else {
    plan.read_errors = {.first = 1 + rng.Below(100), .count = 1};
  }
  auto failure = simulation.Live(plan, 2 * kSteps);
  if (!failure) {
    failure = simulation.LiveAndCompare(20);
  }
  return Report("Faults", seed, machine.files().Trace(), failure);
}

EngineSimulation::Failure EngineAborts(uint64_t seed) {
  AbortingMachine machine(seed);
  EngineSimulation simulation(seed, machine);
  Rng rng(seed ^ 0xab047);
  EngineSimulation::Failure failure;
  for (uint64_t lives = 1 + rng.Below(3); lives > 0 && !failure; --lives) {
    failure = simulation.Live({}, 2 * kSteps);
  }
  if (!failure) {
    failure = simulation.LiveAndCompare(20);
  }
  return Report("Aborts", seed, "", failure);
}

}  // namespace millrace::simulation
