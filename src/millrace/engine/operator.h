#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/engine/row_report.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// Rows on their way to an operator: what one task collects for one of its ports in one epoch,
/// sorted by state partition. Used by one thread until Partition, then read by any.
class ExchangeBuffer {
 public:
  virtual ~ExchangeBuffer() = default;

  /// Adds the rows that are not late; late ones go to `report`. Those that are taken are counted as
  /// accepted there.
  virtual void Add(const BatchPtr& batch, RowReport& report) = 0;
  /// Sorts what was added; call after the last Add.
  virtual void Partition(uint32_t partitions) = 0;
  /// Starts the next epoch, empty. `first_open`: the operator's watermark before it. Rows are late
  /// as well when what they would meet is forgotten: after their input was idle.
  virtual void Start(Micros first_open) = 0;
};

/// What an operator puts out for one state partition in one epoch.
struct OperatorOutput {
  std::vector<BatchPtr> rows;
  /// The rows, as they stand at the end, of what the operator forgets in this epoch: with the rows
  /// of its state they are all that it has put out. Only if asked for.
  std::vector<BatchPtr> closed;
};

/// Asked now and then by work whose output may be far larger than its input, with the bytes that it
/// holds by then: an error ends it.
using WorkCheck = std::function<Status(size_t bytes)>;

/// A stateful operator of a pipeline: rows come to its ports through exchanges, and each of its
/// tasks works on one state partition. Immutable: what is remembered lies in state tables, what is
/// under way in buffers. Thread-safe.
class Operator {
 public:
  virtual ~Operator() = default;

  /// What it is called in error rows and metrics.
  virtual std::string_view name() const = 0;

  /// The values of its state tables; one table of each kind for each state partition.
  virtual std::vector<ValueShape> tables() const = 0;

  virtual std::unique_ptr<ExchangeBuffer> MakeBuffer(size_t port) const = 0;

  /// One task in one epoch.
  struct Task {
    uint32_t partition = 0;
    uint32_t partitions = 1;
    std::span<KeyedState* const> tables;  ///< In the order of tables(), of this partition.
    /// By port, the buffers of all tasks that collect for it.
    std::span<const std::vector<const ExchangeBuffer*>> inputs;
    /// The operator's own watermark: the smallest FirstOpen of its ports so far.
    Micros first_open = kMicrosMin;
    bool is_first_epoch = false;
    bool inputs_ended = false;  ///< Of a query, which has no watermarks: nothing more comes.
    bool wants_closed = false;
    const WorkCheck* check = nullptr;  ///< May be null.
  };
  /// Works off the buffers and what the watermarks close. Rows that fail go to `report`. Errors:
  /// kCorruption, those of the check.
  virtual Status Run(const Task& task, RowReport& report, OperatorOutput& output) const = 0;

  /// Once a port has come to a watermark: the operator puts out no more rows of an event time below
  /// this for that port's sake. kMicrosMin when that is not known.
  virtual Micros FirstOpen(size_t port, Micros watermark) const = 0;

  /// Whether it forgets rows when watermarks pass them.
  virtual bool forgets_rows() const = 0;

  /// Whether rows wait in it for watermarks, or for the end of its inputs.
  virtual bool holds_back_rows() const { return false; }

  /// Whether it puts out something before its first row comes.
  virtual bool starts_by_itself() const { return false; }

  /// Calls `visit` with batches of the rows that its state says are there. Only of operators that
  /// `remembers_rows`.
  virtual bool remembers_rows() const { return false; }
  using RowVisitor = std::function<void(const BatchPtr& rows)>;
  virtual Status VisitRows(std::span<KeyedState* const> /*tables*/, size_t /*batch_rows_max*/,
                           const RowVisitor& /*visit*/) const {
    return Err(ErrorCode::kNotImplemented, "this operator does not remember its rows");
  }
};

}  // namespace millrace
