#pragma once

#include <span>
#include <vector>

#include "millrace/engine/keyed_rows.h"
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

  /// Puts out the rest. Errors: kCorruption, of any row so far.
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
  void PutOut(std::string_view left, std::string_view right, int64_t weight);
  void PutOutAlone(std::string_view left, int64_t weight);
  Status AddAlone(std::string_view left);
  Status AddPair(std::string_view left, std::string_view right, RowOutput& output) const;

  const Parts parts_;
  RowReport& report_;
  RowOutput output_;
  std::vector<Candidate> candidates_;
  Status status_;
};

}  // namespace millrace
