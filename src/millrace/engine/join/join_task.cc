#include "millrace/engine/join/join_task.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace millrace {

namespace {

constexpr size_t kRowsPerCheck = 4096;

int64_t& WeightOf(std::byte* value) { return *reinterpret_cast<int64_t*>(value); }

JoinTask::LeftValue& LeftOf(std::byte* value) {
  return *reinterpret_cast<JoinTask::LeftValue*>(value);
}

uint64_t EntryHash(const KeyedRows::Row& row) { return HashEncoded(row.entry); }

/// Calls `put_out` with a weight that fits a batch, more than once where it does not.
template <typename PutOut>
void InWeights(int64_t count, PutOut put_out) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  while (count != 0) {
    const int64_t weight = std::clamp(count, -kMax, kMax);
    put_out(static_cast<int32_t>(weight));
    count -= weight;
  }
}

}  // namespace

JoinTask::JoinTask(const Parts& parts, RowReport& report, std::vector<BatchPtr>& output)
    : parts_(parts), report_(report), output_(parts.schema, output) {}

void JoinTask::FindPartners(const KeyedState& other, const KeyedRows::Row& row, Span partners,
                            bool row_is_left) {
  candidates_.clear();
  if (row.has_null_key) {
    return;
  }
  other.VisitChain(
      partners.from, partners.to, row.key(), row.key_hash,
      [&](Micros bucket, GroupSlot slot, std::string_view entry, const std::byte* value) {
        const int64_t weight = *reinterpret_cast<const int64_t*>(value);
        if (weight != 0) {
          candidates_.push_back({bucket, slot, entry, weight});
        }
      });
  if (parts_.condition != nullptr && !candidates_.empty() && status_) {
    status_ = CheckCondition(row, row_is_left);
  }
}

Status JoinTask::CheckCondition(const KeyedRows::Row& row, bool row_is_left) {
  std::vector<Candidate> kept;
  std::vector<BatchPtr> batches;
  RowOutput pairs(parts_.schema, batches);
  size_t first = 0;
  for (const Candidate& candidate : candidates_) {
    MR_TRY(row_is_left ? AddPair(row.entry, candidate.entry, pairs)
                       : AddPair(candidate.entry, row.entry, pairs));
    pairs.EndRow(1);
    if (!batches.empty()) {
      KeepPassing(batches, first, kept);
      batches.clear();
    }
  }
  pairs.Finish();
  KeepPassing(batches, first, kept);
  candidates_ = std::move(kept);
  return {};
}

void JoinTask::KeepPassing(const std::vector<BatchPtr>& pairs, size_t& first,
                           std::vector<Candidate>& kept) {
  for (const BatchPtr& batch : pairs) {
    RowErrors errors;
    for (const uint32_t selected : parts_.condition->EvaluatePredicate(*batch, errors)) {
      kept.push_back(candidates_[first + selected]);
    }
    report_.Failed(batch, "join", errors);
    first += batch->rows();
  }
}

void JoinTask::AddLeft(const KeyedRows::Row& row, Micros bucket, Span partners) {
  if (!status_) {
    return;
  }
  FindPartners(*parts_.tables[1], row, partners, true);
  int64_t count = 0;
  for (const Candidate& right : candidates_) {
    count += right.weight;
    PutOut(row.entry, right.entry, right.weight * row.weight);
  }
  if (parts_.is_left_join && count == 0) {
    PutOutAlone(row.entry, row.weight);
  }
  if (row.has_null_key) {
    return;  // It never finds a partner.
  }
  std::byte* const value = parts_.tables[0]->Touch(bucket, row.entry, EntryHash(row), row.key_hash);
  WeightOf(value) += row.weight;
  if (parts_.is_left_join) {
    LeftOf(value).partners = count;
  }
}

void JoinTask::AddRight(const KeyedRows::Row& row, Micros bucket, Span partners) {
  if (!status_) {
    return;
  }
  KeyedState& left_rows = *parts_.tables[0];
  FindPartners(left_rows, row, partners, false);
  for (const Candidate& left : candidates_) {
    PutOut(left.entry, row.entry, left.weight * row.weight);
    if (parts_.is_left_join) {
      int64_t& count = LeftOf(left_rows.TouchSlot(left.bucket, left.slot)).partners;
      const bool had_partners = count != 0;
      count += row.weight;
      const bool has_partners = count != 0;
      if (had_partners != has_partners) {
        PutOutAlone(left.entry, has_partners ? -left.weight : left.weight);
      }
    }
  }
  WeightOf(parts_.tables[1]->Touch(bucket, row.entry, EntryHash(row), row.key_hash)) += row.weight;
}

Status JoinTask::AddPair(std::string_view left, std::string_view right, RowOutput& output) const {
  MR_TRY(output.AddPiece(KeyedState::ChainedPrefix(left), parts_.left.key));
  MR_TRY(output.AddPiece(KeyedState::ChainedRest(left), parts_.left.rest));
  MR_TRY(output.AddPiece(KeyedState::ChainedPrefix(right), parts_.right.key));
  return output.AddPiece(KeyedState::ChainedRest(right), parts_.right.rest);
}

Status JoinTask::AddAlone(std::string_view left) {
  MR_TRY(output_.AddPiece(KeyedState::ChainedPrefix(left), parts_.left.key));
  MR_TRY(output_.AddPiece(KeyedState::ChainedRest(left), parts_.left.rest));
  output_.AddNulls(parts_.right.key);
  output_.AddNulls(parts_.right.rest);
  return {};
}

void JoinTask::PutOut(std::string_view left, std::string_view right, int64_t weight) {
  InWeights(weight, [&](int32_t each) {
    if (status_) {
      status_ = AddPair(left, right, output_);
    }
    if (status_) {
      output_.EndRow(each);
      CountOutput(left.size() + right.size());
    }
  });
}

void JoinTask::PutOutAlone(std::string_view left, int64_t weight) {
  InWeights(weight, [&](int32_t each) {
    if (status_) {
      status_ = AddAlone(left);
    }
    if (status_) {
      output_.EndRow(each);
      CountOutput(left.size());
    }
  });
}

void JoinTask::CountOutput(size_t bytes) {
  output_bytes_ += bytes;
  if (++output_rows_ % kRowsPerCheck == 0 && parts_.check != nullptr) {
    status_ = (*parts_.check)(output_bytes_);
  }
}

Status JoinTask::Finish() {
  MR_TRY(std::move(status_));
  output_.Finish();
  return {};
}

}  // namespace millrace
