#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"
#include "millrace/engine/aggregate/value_list.h"
#include "millrace/plan/plan_node.h"
#include "millrace/state/text_arena.h"

namespace millrace {

/// How the aggregates of one operator live in a group's value: a sum of weights, then one
/// fixed-width accumulator per call; texts lie in an arena beside them. A value of all zero bytes
/// is an empty group. Values of two partial aggregations over disjoint rows merge into the value
/// over all of them. Immutable, thread-safe.
///
/// Stored in state frames: the layout of a call never changes.
class AggregateLayout {
 public:
  /// Rows of a column that are added to groups.
  struct RowsOfColumn {
    const Column& column;
    std::span<const uint32_t> rows;
    std::span<const int32_t> weights;  ///< By row of the column; empty: all +1.
  };

  /// `input` is the schema of the aggregated rows. Errors: kNotImplemented for a call over a type
  /// that has no accumulator yet.
  static Result<AggregateLayout> Make(const std::vector<AggregateCall>& calls, const Schema& input,
                                      bool append_only);

  const ValueShape& shape() const { return shape_; }
  size_t value_bytes() const { return shape_.bytes; }

  /// Adds rows of `batch` to groups: row rows[i] to the value at values[i]. `texts` lives as long
  /// as the values.
  void Update(const Batch& batch, std::span<const uint32_t> rows,
              std::span<std::byte* const> values, TextArena& texts) const;

  /// Calls that must know which values of their argument are there: DISTINCT, lists, and extremes
  /// of rows that may be taken back. Update and Merge leave them out; ValueSetUpdate keeps them.
  const std::vector<size_t>& set_calls() const { return set_calls_; }
  bool IsExtremeCall(size_t call) const;
  bool IsListCall(size_t call) const;
  const AggregateCall& call(size_t index) const { return calls_[index]; }
  DataType argument_type(size_t call) const { return slots_[call].argument_type; }
  size_t argument(size_t call) const { return slots_[call].argument; }
  /// Adds rows of a column to one call: row i with weights[i] to the value at values[i].
  void UpdateCall(size_t call, const Column& column, std::span<const int32_t> weights,
                  std::span<std::byte* const> values, TextArena& texts) const;
  /// Sets the accumulator of a list call.
  void SetList(size_t call, ValueList& list, std::byte* value, TextArena& texts) const;
  /// Empties the accumulator of one call.
  void ResetCall(size_t call, std::byte* value) const;

  /// Adds a partial value to another, whose texts are in `texts`.
  void Merge(std::byte* into, const std::byte* from, TextArena& texts) const;

  /// Sum of the weights of a group's rows; a group at 0 is not there.
  static int64_t RowCount(const std::byte* value);

  /// Whether every result is in the range of its type; else the first that is not.
  std::optional<Error> Check(const std::byte* value) const;

  /// Appends one result per call; the value must pass Check.
  void AppendResults(const std::byte* value, std::span<ColumnBuilder> builders) const;

  size_t calls() const { return slots_.size(); }

 private:
  struct Slot {
    AggregateKind kind = AggregateKind::kCountRows;
    size_t argument = 0;
    DataType argument_type;
    DataType result_type;
    size_t offset = 0;
    size_t bytes = 0;
    bool by_set = false;
  };

  static void UpdateSlot(const Slot& slot, const RowsOfColumn& rows,
                         std::span<std::byte* const> values, TextArena& texts);
  static void UpdateExtreme(const Slot& slot, const RowsOfColumn& rows,
                            std::span<std::byte* const> values, TextArena& texts);
  std::optional<Error> CheckSlot(const Slot& slot, const std::byte* value) const;

  std::vector<AggregateCall> calls_;
  std::vector<Slot> slots_;
  std::vector<size_t> set_calls_;
  ValueShape shape_;
};

}  // namespace millrace
