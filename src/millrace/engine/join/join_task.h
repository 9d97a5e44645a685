#pragma once

#include <span>
#include <vector>

#include "millrace/engine/keyed_rows.h"
#include "millrace/engine/operator.h"
#include "millrace/engine/row_output.h"
#include "millrace/engine/row_report.h"
#include "millrace/expr/evaluator.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// One state partition of a join in one epoch: matches rows as they come, and keeps them.
class JoinTask {
 public:
  /// What a left join keeps with each row of the left side; an inner join only the weight.
  struct LeftValue {
    int64_t weight;
    int64_t partners;  ///< Sum of the weights of the right rows that it is matched with.
  };
  /// Columns of the output, in the order of an entry's values.
  struct Columns {
    std::span<const size_t> key;
    std::span<const size_t> rest;
  };
  struct Parts {
    std::span<KeyedState* const> tables;  ///< Left, right.
    SchemaPtr schema;                     ///< Of the output.
    Columns left;
    Columns right;
    bool is_left_join = false;
    const Evaluator* condition = nullptr;  ///< What pairs must satisfy besides equal keys, or null.
    const WorkCheck* check = nullptr;      ///< May be null.
  };
  /// Buckets.
  struct Span {
    Micros from = 0;
    Micros to = 0;
  };

  /// `report` and `output` outlive it.
  JoinTask(const Parts& parts, RowReport& report, std::vector<BatchPtr>& output);

  void AddLeft(const KeyedRows::Row& row, Micros bucket, Span partners);
  void AddRight(const KeyedRows::Row& row, Micros bucket, Span partners);

  /// Puts out the rest. Errors: kCorruption and those of the check, of any row so far.
  Status Finish();

 private:
  struct Candidate {
    Micros bucket;
    GroupSlot slot;
    std::string_view entry;
    int64_t weight;
  };

  /// Sets candidates_ to the rows of the other side that go with `row`.
  void FindPartners(const KeyedState& other, const KeyedRows::Row& row, Span partners,
                    bool row_is_left);
  /// Keeps those candidates that satisfy the condition.
  Status CheckCondition(const KeyedRows::Row& row, bool row_is_left);
  /// Evaluates the condition over the pairs of the next candidates; keeps those that pass.
  void KeepPassing(const std::vector<BatchPtr>& pairs, size_t& first, std::vector<Candidate>& kept);
  /// Notes that a row of so many bytes was put out.
  void CountOutput(size_t bytes);
  void PutOut(std::string_view left, std::string_view right, int64_t weight);
  void PutOutAlone(std::string_view left, int64_t weight);
  Status AddAlone(std::string_view left);
  Status AddPair(std::string_view left, std::string_view right, RowOutput& output) const;

  const Parts parts_;
  RowReport& report_;
  RowOutput output_;
  std::vector<Candidate> candidates_;
  size_t output_rows_ = 0;
  size_t output_bytes_ = 0;
  Status status_;
};

}  // namespace millrace
