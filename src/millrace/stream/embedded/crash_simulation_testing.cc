#include "millrace/stream/embedded/crash_simulation_testing.h"

#include <algorithm>

namespace millrace::simulation {

namespace {

constexpr char kPath[] = "/data";
constexpr size_t kSteps = 60;
constexpr size_t kStreamsMax = 5;

template <typename T>
T OneOf(Rng& rng, std::initializer_list<T> values) {
  return values.begin()[rng.Below(values.size())];
}

std::unique_ptr<SimulatedFileSystem> MakeDisk(Rng& rng) {
  SimulatedDiskOptions options;
  options.piece_bytes = OneOf<size_t>(rng, {64, 512, 512});
  options.write_lost = OneOf(rng, {0.0, 0.3, 1.0});
  options.write_kept = options.write_lost == 1.0 ? 0.0 : OneOf(rng, {0.1, 0.3, 0.7});
  return std::make_unique<SimulatedFileSystem>(rng.Next(), options);
}

}  // namespace

CrashSimulation::CrashSimulation(uint64_t seed)
    : rng_(seed), files_(MakeDisk(rng_)), options_(MakeOptions()) {}

CrashSimulation::~CrashSimulation() = default;

EmbeddedTransport::Options CrashSimulation::MakeOptions() {
  EmbeddedTransport::Options options;
  options.manual = true;
  options.journal_file_bytes = OneOf<uint64_t>(rng_, {1024, 2048, 4096, 16384});
  options.segment_bytes = OneOf<uint64_t>(rng_, {1024, 4096, 16384});
  options.direct_bytes_min = OneOf<uint64_t>(rng_, {300, 1000, 3000});
  options.round_bytes_max = OneOf<uint64_t>(rng_, {1, 2000, 1 << 20});
  options.cache_bytes_max = OneOf<size_t>(rng_, {0, 2000, 1 << 20});
  options.on_fatal = [this](const Error&) { fatal_ = true; };
  return options;
}

Result<std::unique_ptr<EmbeddedTransport>> CrashSimulation::OpenTransport() {
  return EmbeddedTransport::Open(*files_, kPath, options_);
}

CrashSimulation::Opened CrashSimulation::Open(const FaultPlan& plan) {
  files_->SetFaults(plan);
  fatal_ = false;
  auto opened = OpenTransport();
  for (int attempt = 0; attempt < 1000 && !opened && opened.error().code() == ErrorCode::kDiskFull;
       ++attempt) {
    opened = OpenTransport();
  }
  if (!opened) {
    const bool planned = files_->crashed() || opened.error().code() == ErrorCode::kIoError ||
                         opened.error().code() == ErrorCode::kSyncFailed;
    return {.failure = planned ? Failure() : opened.error().ToString(), .ended = planned};
  }
  transport_ = *std::move(opened);
  return {.failure = CompareRecovered(false)};
}

CrashSimulation::Failure CrashSimulation::CompareRecovered(bool damaged) {
  if (creating_ && transport_->FindStream(*creating_)) {
    streams_.push_back(*creating_);
  }
  creating_.reset();
  for (const std::string& stream : streams_) {
    if (!transport_->FindStream(stream)) {
      return fmt::format("stream {} is lost", stream);
    }
  }
  const auto progress = transport_->ReaderPositions(kProgressReader);
  const size_t prefix =
      progress.empty() ? 0 : static_cast<size_t>(progress.begin()->second.value());
  if (prefix < acknowledged_ || prefix > epochs_.size()) {
    return fmt::format("{} epochs found, {} acknowledged, {} submitted", prefix, acknowledged_,
                       epochs_.size());
  }
  epochs_.resize(prefix);
  appended_ = {};
  for (const std::string& stream : streams_) {
    appended_.AddStream(stream);
  }
  for (const PlannedEpoch& epoch : epochs_) {
    appended_.Apply(epoch);
  }
  acknowledged_ = prefix;
  return appended_.Compare(*transport_, damaged);
}

CrashSimulation::Failure CrashSimulation::Run(size_t steps) {
  for (size_t i = 0; i < steps && !transport_->failed(); ++i) {
    if (auto failure = Step()) {
      return failure;
    }
    if (wrong_) {
      return wrong_;
    }
  }
  return std::nullopt;
}

CrashSimulation::Failure CrashSimulation::Step() {
  if (streams_.size() < 2 || (streams_.size() < kStreamsMax && rng_.Chance(0.03))) {
    return CreateStream();
  }
  const double draw = rng_.Unit();
  if (draw < 0.45) {
    return Submit();
  }
  if (draw < 0.75) {
    transport_->RunRound();
  } else if (draw < 0.9) {
    transport_->RunCopier();
  } else {
    return Read();
  }
  return std::nullopt;
}

CrashSimulation::Failure CrashSimulation::Submit() {
  PlannedEpoch epoch = MakeEpoch(rng_, appended_);
  auto ranges = appended_.Apply(epoch);
  epochs_.push_back(epoch);
  const size_t number = epochs_.size();
  epoch.SubmitTo(*transport_, number, [this, number, ranges](const CommitResult& result) {
    Acknowledge(number, ranges, result);
  });
  return std::nullopt;
}

void CrashSimulation::Acknowledge(size_t number,
                                  const std::vector<std::pair<Offset, Offset>>& ranges,
                                  const CommitResult& result) {
  if (result.outcome == CommitOutcome::kUnknown && fatal_) {
    return;
  }
  if (result.outcome != CommitOutcome::kCommitted) {
    // Closing with a full disk is the only other reason.
    if (!result.error || result.error->code() != ErrorCode::kTransportClosed) {
      wrong_ =
          fmt::format("epoch {} ends with outcome {}", number, static_cast<int>(result.outcome));
    }
    return;
  }
  const bool same = std::ranges::equal(
      result.ranges, ranges, [](const AppendedRange& range, const auto& expected) {
        return range.begin == expected.first && range.end == expected.second;
      });
  if (fatal_ || number != acknowledged_ + 1 || !same) {
    wrong_ = fmt::format("epoch {} acknowledged {}, after {}", number,
                         fatal_  ? "after the transport had failed"
                         : !same ? "with other offsets"
                                 : "out of order",
                         acknowledged_);
  }
  acknowledged_ = number;
}

CrashSimulation::Failure CrashSimulation::Read() {
  const auto at = std::next(appended_.partitions.begin(),
                            static_cast<ptrdiff_t>(rng_.Below(appended_.partitions.size())));
  const auto id = transport_->FindStream(at->first.first)->id;
  const PartitionInfo info = transport_->Describe(id, PartitionId(at->first.second));
  const Visibility visibility = rng_.Chance(0.5) ? Visibility::kDurable : Visibility::kAppended;
  const Offset end = visibility == Visibility::kDurable ? info.durable_end : info.appended_end;
  const auto range = static_cast<uint64_t>(end - info.begin);
  const Offset from = info.begin + static_cast<int64_t>(rng_.Below(range + 1));
  auto difference = appended_.CompareFrames(*transport_, at->first, from, visibility, false);
  return files_->crashed() ? std::nullopt : difference;
}

CrashSimulation::Failure CrashSimulation::CreateStream() {
  const std::string name =
      creating_ ? *creating_ : fmt::format("s{}", std::string(streams_.size(), 'x'));
  creating_ = name;
  const auto created = transport_->CreateStream(DefinitionOf(name));
  if (created) {
    creating_.reset();
    streams_.push_back(name);
    appended_.AddStream(name);
    return std::nullopt;
  }
  const bool expected = transport_->failed() || created.error().code() == ErrorCode::kDiskFull;
  return expected ? Failure() : created.error().ToString();
}

CrashSimulation::Failure CrashSimulation::Drain(bool copy) {
  for (int i = 0;
       i < 1000 && !transport_->failed() && (acknowledged_ < epochs_.size() || creating_); ++i) {
    if (creating_) {
      if (auto failure = CreateStream()) {
        return failure;
      }
    }
    transport_->RunRound();
  }
  int idle_after = 1000;
  while (copy && !transport_->failed() && (transport_->RunRound() || transport_->RunCopier())) {
    if (--idle_after == 0) {
      return "the copier never comes to rest";
    }
  }
  if (!wrong_ && !transport_->failed() && acknowledged_ < epochs_.size()) {
    return fmt::format("only {} of {} epochs were committed", acknowledged_, epochs_.size());
  }
  return wrong_;
}

void CrashSimulation::End(bool machine_crashes) {
  if (machine_crashes) {
    files_->Crash();
    fatal_ = true;
  }
  transport_.reset();
  files_->Restart();
}

CrashSimulation::Failure CrashSimulation::CheckRecovery(size_t steps) {
  if (auto failure = Open().failure) {
    return failure;
  }
  if (auto failure = Run(steps)) {
    return failure;
  }
  if (auto failure = Drain(/*copy=*/rng_.Chance(0.5))) {
    return failure;
  }
  if (transport_->failed()) {
    return "the transport failed without a fault";
  }
  End(/*machine_crashes=*/true);
  auto opened = Open();
  if (!opened.failure && acknowledged_ != epochs_.size()) {
    return "an acknowledged epoch is lost";
  }
  return opened.failure;
}

bool CrashSimulation::fault_hit_sync() const {
  const std::string trace = files_->Trace();
  for (size_t at = trace.find(" sync "); at != std::string::npos;
       at = trace.find(" sync ", at + 1)) {
    const std::string line = trace.substr(at, trace.find('\n', at) - at);
    if (line.contains("->")) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> CrashSimulation::FilesBelow(const std::string& path) {
  std::vector<std::string> found;
  const auto entries = files_->List(path);
  MR_CHECK(entries.has_value(), "{}", path);
  for (const DirectoryEntry& entry : *entries) {
    const std::string child = JoinPath(path, entry.name);
    if (entry.is_directory) {
      std::ranges::copy(FilesBelow(child), std::back_inserter(found));
    } else if (entry.name != "LOCK") {
      found.push_back(child);
    }
  }
  return found;
}

std::string CrashSimulation::Damage() {
  const std::vector<std::string> paths = FilesBelow(kPath);
  const std::string& path = paths[rng_.Below(paths.size())];
  const uint64_t size = files_->Info(path)->size;
  if (size == 0 || rng_.Chance(0.2)) {
    MR_CHECK(files_->RemoveFile(path).has_value());
    return fmt::format("removed {}", path);
  }
  const uint64_t at = rng_.Below(rng_.Chance(0.5) ? size : std::min<uint64_t>(size, 400));
  const auto mask = static_cast<uint8_t>(1U << rng_.Below(8));
  MR_CHECK(files_->CorruptByte(path, at, mask).has_value());
  return fmt::format("flipped bit {} of byte {} of {}", mask, at, path);
}

CrashSimulation::Failure CrashSimulation::CheckDamaged() {
  auto opened = OpenTransport();
  if (!opened) {
    const ErrorCode code = opened.error().code();
    const bool named = code == ErrorCode::kCorruption || code == ErrorCode::kFormatTooNew;
    return named ? Failure() : opened.error().ToString();
  }
  transport_ = *std::move(opened);
  return CompareRecovered(true);
}

namespace {

/// Adds to a failure how to see it again.
CrashSimulation::Failure Report(CrashSimulation& simulation, std::string_view scenario,
                                uint64_t seed, CrashSimulation::Failure failure) {
  if (!failure) {
    return failure;
  }
  return fmt::format(
      "{0}, seed {1}: {2}\nrepeat: MILLRACE_SEED={1} MILLRACE_SEEDS=1 "
      "millrace_stream_test --gtest_filter='CrashSimulation.{0}'\nlast operations:\n{3}",
      scenario, seed, *failure, simulation.files().Trace());
}

CrashSimulation::Failure RunLife(CrashSimulation& simulation, const FaultPlan& plan, size_t steps) {
  auto opened = simulation.Open(plan);
  if (opened.failure || opened.ended) {
    return opened.failure;
  }
  return simulation.Run(steps);
}

}  // namespace

CrashSimulation::Failure CrashAtOperation(uint64_t seed, uint64_t operation) {
  CrashSimulation simulation(seed);
  auto failure = RunLife(simulation, {.crash_at = operation}, kSteps);
  if (!failure) {
    simulation.End(/*machine_crashes=*/true);
    failure = simulation.CheckRecovery(10);
  }
  return Report(simulation, "AtEveryOperation", seed,
                failure ? fmt::format("crash at operation {}: {}", operation, *failure) : failure);
}

CrashSimulation::Failure CrashAtEveryOperation(uint64_t seed, uint64_t* operations) {
  {
    CrashSimulation simulation(seed);
    if (auto failure = RunLife(simulation, {}, kSteps)) {
      return Report(simulation, "AtEveryOperation", seed, failure);
    }
    *operations = simulation.files().operations_count();
  }
  for (uint64_t operation = 1; operation <= *operations; ++operation) {
    if (auto failure = CrashAtOperation(seed, operation)) {
      return failure;
    }
  }
  return std::nullopt;
}

CrashSimulation::Failure CrashManyTimes(uint64_t seed) {
  CrashSimulation simulation(seed);
  Rng rng(seed ^ 0x5eed);
  const uint64_t lives = 2 + rng.Below(6);
  for (uint64_t life = 0; life < lives; ++life) {
    // Small numbers hit recovery itself.
    const uint64_t operation = 1 + rng.Below(rng.Chance(0.3) ? 15 : 250);
    FaultPlan plan;
    if (rng.Chance(0.7)) {
      plan.crash_at = operation;
    } else if (rng.Chance(0.5)) {
      plan.write_errors = {.first = operation, .count = 1};
    } else if (rng.Chance(0.5)) {
      plan.disk_full = {.first = operation, .count = 1 + rng.Below(20)};
    }
    if (auto failure = RunLife(simulation, plan, 10 + rng.Below(kSteps))) {
      return Report(simulation, "ManyTimes", seed, failure);
    }
    simulation.End(/*machine_crashes=*/rng.Chance(0.7));
  }
  return Report(simulation, "ManyTimes", seed, simulation.CheckRecovery(10));
}

CrashSimulation::Failure FillDisk(uint64_t seed) {
  CrashSimulation simulation(seed);
  Rng rng(seed ^ 0xf011);
  const OperationRange full{.first = 1 + rng.Below(200), .count = 1 + rng.Below(60)};
  auto failure = RunLife(simulation, {.disk_full = full}, kSteps);
  if (!failure && simulation.transport() != nullptr) {
    failure = simulation.Drain(/*copy=*/true);
    if (!failure && simulation.transport()->failed() && !simulation.fault_hit_sync()) {
      failure = "a full disk was taken for a failure";
    }
  }
  if (!failure) {
    simulation.End(/*machine_crashes=*/rng.Chance(0.5));
    failure = simulation.CheckRecovery(10);
  }
  return Report(simulation, "FullDisk", seed, failure);
}

CrashSimulation::Failure FailOperation(uint64_t seed) {
  CrashSimulation simulation(seed);
  Rng rng(seed ^ 0xe10);
  FaultPlan plan;
  if (rng.Chance(0.7)) {
    plan.write_errors = {.first = 1 + rng.Below(200), .count = 1};
  } else {
    plan.read_errors = {.first = 1 + rng.Below(100), .count = 1};
  }
  auto failure = RunLife(simulation, plan, kSteps);
  if (!failure) {
    simulation.End(/*machine_crashes=*/rng.Chance(0.5));
    failure = simulation.CheckRecovery(10);
  }
  return Report(simulation, "FailedOperation", seed, failure);
}

CrashSimulation::Failure DamageFiles(uint64_t seed) {
  CrashSimulation simulation(seed);
  Rng rng(seed ^ 0xf11b);
  auto failure = RunLife(simulation, {}, 20 + rng.Below(kSteps));
  if (!failure && rng.Chance(0.3)) {
    simulation.End(/*machine_crashes=*/false);
    failure = RunLife(simulation, {}, rng.Below(kSteps));
  }
  if (!failure) {
    failure = simulation.Drain(/*copy=*/true);
  }
  simulation.End(/*machine_crashes=*/false);
  if (!failure) {
    const std::string damage = simulation.Damage();
    failure = simulation.CheckDamaged();
    failure = failure ? fmt::format("{}: {}", damage, *failure) : failure;
  }
  return Report(simulation, "DamagedFiles", seed, failure);
}

}  // namespace millrace::simulation
