#include "millrace/engine/join/as_of_join.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "millrace/engine/row_output.h"

namespace millrace {

namespace {

/// Left rows wait, and versions are looked at again, by spans of so much event time.
constexpr Micros kSlice = 1'000'000;

// The state tables.
constexpr size_t kVersions = 0;  ///< By key, chained, and the time from which they count.
constexpr size_t kWaiting = 1;   ///< By left row: its weight and time.
constexpr size_t kDue = 2;       ///< Keys with versions to forget, once the time is passed.

struct Version {
  enum State : int64_t { kNone = 0, kThere = 1, kDeleted = 2 };

  int64_t state = kNone;
  Micros event_time = 0;
  TextRef rest;  // The columns besides the key, encoded.
};

struct WaitingRow {
  int64_t weight = 0;
  Micros time = 0;
};

/// A version, where it lies.
struct Found {
  Micros from = kMicrosMin;
  GroupSlot slot = GroupTable::kNone;
  const Version* version = nullptr;
};

Micros FromOf(std::string_view entry) {
  Micros from = 0;
  std::memcpy(&from, KeyedState::ChainedRest(entry).data(), sizeof(from));
  return from;
}

}  // namespace

/// One state partition in one epoch.
class AsOfJoinOperator::Worker {
 public:
  Worker(const AsOfJoinOperator& join, const Task& task, OperatorOutput& output)
      : join_(join),
        first_open_(task.inputs_ended ? kMicrosMax : task.first_open),
        versions_(*task.tables[kVersions]),
        waiting_(*task.tables[kWaiting]),
        due_(*task.tables[kDue]),
        output_(join.schema_, output.rows) {}

  void AddVersion(const KeyedRows::Row& row) {
    const Found before = Find(row.key(), row.key_hash, row.from);
    if (before.version != nullptr && before.version->event_time > row.time) {
      return;  // Nobody sees it: a newer one is there from this time on.
    }
    entry_.clear();
    KeyedState::AppendChainedPrefix(row.key(), entry_);
    entry_.append(reinterpret_cast<const char*>(&row.from), sizeof(row.from));
    auto& version = *reinterpret_cast<Version*>(
        versions_.Touch(KeyedState::kOnlyBucket, entry_, HashEncoded(entry_), row.key_hash));
    version.state = row.flag ? Version::kDeleted : Version::kThere;
    version.event_time = row.time;
    version.rest = row.flag ? TextRef() : versions_.touched_texts().Copy(row.rest());
    if (row.flag || before.version != nullptr || HasLater(row)) {
      *reinterpret_cast<int64_t*>(due_.Touch(SliceOf(row.from, kSlice), row.key(), row.key_hash)) =
          1;
    }
  }

  void AddLeft(const KeyedRows::Row& row) {
    if (row.has_null_key || row.time < first_open_) {
      Join(row.entry, row.weight, row.has_null_key ? kMicrosMin : row.time);
      return;
    }
    auto& waiting = *reinterpret_cast<WaitingRow*>(
        waiting_.Touch(SliceOf(row.time, kSlice), row.entry, HashEncoded(row.entry)));
    waiting.weight += row.weight;
    waiting.time = row.time;
  }

  Status Finish() {
    MR_TRY(waiting_.Visit(kMicrosMin, first_open_,
                          [&](Micros, std::string_view entry, const std::byte* value) -> Status {
                            const auto& row = *reinterpret_cast<const WaitingRow*>(value);
                            Join(entry, row.weight, row.time);
                            return std::move(status_);
                          }));
    waiting_.DropBuckets(first_open_);
    MR_TRY(due_.Visit(kMicrosMin, first_open_,
                      [&](Micros, std::string_view key, const std::byte*) -> Status {
                        Forget(key);
                        return {};
                      }));
    due_.DropBuckets(first_open_);
    output_.Finish();
    return std::move(status_);
  }

 private:
  template <typename Visit>
  void VisitVersions(std::string_view key, uint64_t key_hash, Visit visit) const {
    versions_.VisitChain(
        KeyedState::kOnlyBucket, KeyedState::kOnlyBucket + 1, key, key_hash,
        [&](Micros, GroupSlot slot, std::string_view entry, const std::byte* value) {
          const auto& version = *reinterpret_cast<const Version*>(value);
          if (version.state != Version::kNone) {
            visit(Found{.from = FromOf(entry), .slot = slot, .version = &version});
          }
        });
  }

  /// The version that counts at `time`, if there is one.
  Found Find(std::string_view key, uint64_t key_hash, Micros time) const {
    Found found;
    VisitVersions(key, key_hash, [&](const Found& each) {
      if (each.from <= time && (found.version == nullptr || each.from > found.from)) {
        found = each;
      }
    });
    return found;
  }

  bool HasLater(const KeyedRows::Row& row) const {
    bool has_later = false;
    VisitVersions(row.key(), row.key_hash,
                  [&](const Found& each) { has_later |= each.from > row.from; });
    return has_later;
  }

  /// Takes away the versions of a key that no left row can meet any more.
  void Forget(std::string_view key) {
    const uint64_t key_hash = HashEncoded(key);
    const Found open = Find(key, key_hash, first_open_);
    std::vector<GroupSlot> forgotten;
    VisitVersions(key, key_hash, [&](const Found& each) {
      if (each.from < open.from ||
          (each.slot == open.slot && each.version->state == Version::kDeleted)) {
        forgotten.push_back(each.slot);
      }
    });
    for (const GroupSlot slot : forgotten) {
      *reinterpret_cast<Version*>(versions_.TouchSlot(KeyedState::kOnlyBucket, slot)) = {};
    }
  }

  void Join(std::string_view left, int64_t weight, Micros time) {
    const std::string_view key = KeyedState::ChainedPrefix(left);
    const Found found = Find(key, HashEncoded(key), time);
    const bool is_there = found.version != nullptr && found.version->state == Version::kThere;
    constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
    while (weight > 0 && status_ && (is_there || join_.is_left_join_)) {
      status_ = PutOut(left, is_there ? found.version : nullptr);
      output_.EndRow(static_cast<int32_t>(std::min(weight, kMax)));
      weight -= std::min(weight, kMax);
    }
  }

  Status PutOut(std::string_view left, const Version* version) {
    const JoinSide& left_side = join_.sides_[kLeftPort];
    const JoinSide& right_side = join_.sides_[kRightPort];
    const std::string_view key = KeyedState::ChainedPrefix(left);
    MR_TRY(output_.AddPiece(key, left_side.key_columns));
    MR_TRY(output_.AddPiece(KeyedState::ChainedRest(left), left_side.rest_columns));
    if (version == nullptr) {
      output_.AddNulls(right_side.key_columns);
      output_.AddNulls(right_side.rest_columns);
      return {};
    }
    MR_TRY(output_.AddPiece(key, right_side.key_columns));
    return output_.AddPiece(version->rest.view(), right_side.rest_columns);
  }

  const AsOfJoinOperator& join_;
  const Micros first_open_;
  KeyedState& versions_;
  KeyedState& waiting_;
  KeyedState& due_;
  RowOutput output_;
  std::string entry_;
  Status status_;
};

AsOfJoinOperator::AsOfJoinOperator(const PlanNode& node)
    : schema_(node.schema), join_(node.join), is_left_join_(node.join.kind == JoinKind::kLeft) {
  sides_.push_back(MakeJoinSide(node, kLeftPort));
  sides_.push_back(MakeJoinSide(node, kRightPort));
  sides_[kRightPort].shape.flag = join_.as_of->delete_flag;
  sides_[kRightPort].shape.counts_late_rows = true;
}

std::vector<ValueShape> AsOfJoinOperator::tables() const {
  return {
      {.bytes = sizeof(Version), .texts = {offsetof(Version, rest)}, .is_chained = true},
      {.bytes = sizeof(WaitingRow)},
      {.bytes = sizeof(int64_t)},
  };
}

std::unique_ptr<ExchangeBuffer> AsOfJoinOperator::MakeBuffer(size_t port) const {
  return std::make_unique<KeyedRows>(sides_[port].shape);
}

Status AsOfJoinOperator::Run(const Task& task, RowReport&, OperatorOutput& output) const {
  Worker worker(*this, task, output);
  // Versions first: those that have come in this epoch count for its rows.
  for (const size_t port : {kRightPort, kLeftPort}) {
    for (const ExchangeBuffer* buffer : task.inputs[port]) {
      static_cast<const KeyedRows*>(buffer)->VisitPartition(
          task.partition, [&](const KeyedRows::Row& row) {
            port == kLeftPort ? worker.AddLeft(row) : worker.AddVersion(row);
          });
    }
  }
  return worker.Finish();
}

Micros AsOfJoinOperator::FirstOpen(size_t port, Micros watermark) const {
  if (watermark == kMicrosMin || watermark == kMicrosMax) {
    return watermark;
  }
  const WindowKey& time = port == kLeftPort ? *join_.left_time : *join_.right_time;
  return SliceOf(watermark - time.open_for() + 1, kSlice);
}

}  // namespace millrace
