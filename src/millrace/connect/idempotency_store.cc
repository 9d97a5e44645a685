#include "millrace/connect/idempotency_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"

namespace millrace {

namespace {

// A frame: u8 version, i64 time, the key's three texts, u64 body hash, u64 accepted, u64 errors,
// u32 count of errors with u64 index, u16 code and message each, u32 count of partitions.
constexpr uint8_t kFrameVersion = 1;

/// The stream is trimmed in steps, not with every entry that is forgotten.
constexpr int64_t kTrimStep = 1024;

struct Stored {
  Micros time = 0;
  IdempotencyStore::Key key;
  uint64_t body_hash = 0;
  IdempotencyStore::Answer answer;
  std::vector<PartitionId> partitions;
};

Result<Stored> DecodeFrame(std::span<const std::byte> payload) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kFrameVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("idempotency$ frame of version {}", version));
  }
  Stored stored;
  MR_ASSIGN(stored.time, reader.Get<Micros>());
  MR_ASSIGN(const auto token, reader.GetString());
  MR_ASSIGN(const auto stream, reader.GetString());
  MR_ASSIGN(const auto key, reader.GetString());
  stored.key = {std::string(token), std::string(stream), std::string(key)};
  MR_ASSIGN(stored.body_hash, reader.Get<uint64_t>());
  MR_ASSIGN(stored.answer.accepted, reader.Get<uint64_t>());
  MR_ASSIGN(stored.answer.errors_count, reader.Get<uint64_t>());
  MR_ASSIGN(const auto errors, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < errors; ++i) {
    MR_ASSIGN(const auto index, reader.Get<uint64_t>());
    MR_ASSIGN(const auto code, reader.Get<uint16_t>());
    MR_ASSIGN(const auto message, reader.GetString());
    stored.answer.errors.push_back(
        {.index = index, .code = static_cast<ErrorCode>(code), .message = std::string(message)});
  }
  MR_ASSIGN(const auto partitions, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < partitions; ++i) {
    MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
    stored.partitions.emplace_back(partition);
  }
  return stored;
}

}  // namespace

Result<std::unique_ptr<IdempotencyStore>> IdempotencyStore::Open(
    Transport& transport, const Clock& clock, const IdempotencyMetrics& metrics) {
  std::unique_ptr<IdempotencyStore> store(new IdempotencyStore(transport, clock, metrics));
  MR_ASSIGN(store->stream_, transport.CreateStream({.name = "idempotency$",
                                                    .partitions = 1,
                                                    .schema = nullptr,
                                                    .properties = {{"kind", "internal"}}}));
  MR_TRY(store->Restore());
  return store;
}

Status IdempotencyStore::Restore() {
  MutexLock lock(mutex_);
  const PartitionInfo info = transport_.Describe(stream_, PartitionId(0));
  trim_ = info.begin;
  trimmed_ = info.begin;
  const auto cursor =
      transport_.OpenCursor(stream_, PartitionId(0), info.begin, Visibility::kDurable);
  while (true) {
    constexpr size_t kBytesPerPoll = 4 << 20;
    MR_ASSIGN(const auto frames, cursor->Poll(kBytesPerPoll));
    if (frames.empty()) {
      Forget();
      return {};
    }
    for (const StreamFrame& frame : frames) {
      MR_TRY(RestoreFrame(frame));
    }
  }
}

Status IdempotencyStore::RestoreFrame(const StreamFrame& frame) {
  MR_ASSIGN(Stored stored, DecodeFrame(frame.payload->bytes()));
  const auto stream = transport_.FindStream(std::get<1>(stored.key));
  for (const PartitionId partition : stored.partitions) {
    if (stream && partition.value() < stream->definition.partitions) {
      stored.answer.positions.emplace_back(partition,
                                           transport_.Describe(stream->id, partition).durable_end);
    }
  }
  aging_.push_back({.time = stored.time, .offset = frame.begin, .key = stored.key});
  entries_[std::move(stored.key)] = {
      .body_hash = stored.body_hash,
      .answer = std::make_shared<const Answer>(std::move(stored.answer)),
      .waiters = {}};
  return {};
}

bool IdempotencyStore::Begin(const Key& key, uint64_t body_hash, Waiter waiter) {
  Result<AnswerPtr> answer;
  {
    MutexLock lock(mutex_);
    Forget();
    auto [place, is_new] = entries_.try_emplace(key);
    Entry& entry = place->second;
    if (is_new) {
      entry.body_hash = body_hash;
      ReportKeys();
      return true;
    }
    if (entry.body_hash != body_hash) {
      metrics_.conflicts.Add();
      answer = std::unexpected(
          Error(ErrorCode::kIdempotencyKeyReused,
                fmt::format("Idempotency-Key {} was used with another body", std::get<2>(key)))
              .WithHint("use a new key for each request, and the same only to send it again"));
    } else if (entry.answer == nullptr) {
      entry.waiters.push_back(std::move(waiter));
      return false;
    } else {
      answer = entry.answer;
      metrics_.replays.Add();
    }
  }
  waiter(std::move(answer));
  return false;
}

void IdempotencyStore::AddTo(EpochWriter& writer, const Key& key, uint64_t body_hash,
                             const Answer& answer, const std::vector<PartitionId>& partitions) {
  Bytes payload;
  ByteWriter out(payload);
  out.Put(kFrameVersion);
  out.Put(clock_.WallMicros());
  out.PutString(std::get<0>(key));
  out.PutString(std::get<1>(key));
  out.PutString(std::get<2>(key));
  out.Put(body_hash);
  out.Put(answer.accepted);
  out.Put(answer.errors_count);
  out.Put(static_cast<uint32_t>(answer.errors.size()));
  for (const Answer::RecordError& error : answer.errors) {
    out.Put(error.index);
    out.Put(static_cast<uint16_t>(error.code));
    out.PutString(error.message);
  }
  out.Put(static_cast<uint32_t>(partitions.size()));
  for (const PartitionId partition : partitions) {
    out.Put(partition.value());
  }
  if (MR_PLANTED(KeyBeforeData)) {
    auto early = transport_.BeginEpoch();
    early->AppendOpaque(stream_, PartitionId(0), FrameType::kState, std::move(payload));
    early->CommitAsync({});
    return;
  }
  writer.AppendOpaque(stream_, PartitionId(0), FrameType::kState, std::move(payload));
  MutexLock lock(mutex_);
  if (trim_ - trimmed_ >= kTrimStep) {
    writer.Trim(stream_, PartitionId(0), trim_);
    trimmed_ = trim_;
  }
}

void IdempotencyStore::Finish(const Key& key, Result<AnswerPtr> answer, Offset offset) {
  std::vector<Waiter> waiters;
  {
    MutexLock lock(mutex_);
    const auto place = entries_.find(key);
    waiters = std::move(place->second.waiters);
    if (answer) {
      place->second.answer = *answer;
      aging_.push_back({.time = clock_.WallMicros(), .offset = offset, .key = key});
      metrics_.replays.Add(static_cast<double>(waiters.size()));
    } else {
      entries_.erase(place);
      ReportKeys();
    }
  }
  for (const Waiter& waiter : waiters) {
    waiter(answer);
  }
}

void IdempotencyStore::Forget() {
  const Micros oldest = clock_.WallMicros() - kAgeMax;
  while (!aging_.empty() && (aging_.front().time < oldest || aging_.size() > kEntriesMax)) {
    trim_ = aging_.front().offset.Next();
    entries_.erase(aging_.front().key);
    aging_.pop_front();
  }
  ReportKeys();
}

void IdempotencyStore::ReportKeys() { metrics_.keys.Set(static_cast<double>(entries_.size())); }

size_t IdempotencyStore::size() {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace millrace
