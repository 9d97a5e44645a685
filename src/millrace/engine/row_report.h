#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/batch.h"
#include "millrace/expr/row_errors.h"
#include "millrace/plan/plan_node.h"
#include "millrace/stream/error_row.h"

namespace millrace {

/// Rows that a task could not carry on with, and the accounting of an operator chain. Rows are kept
/// as JSON: those of a source as they stand in its stream, with all columns, later ones as the
/// operator got them. One per task and epoch; used by one thread.
class RowReport {
 public:
  explicit RowReport(Micros now) : now_(now) {}

  /// The next rows come from these of a source partition, the first of which is at `begin`.
  void SetSource(uint32_t partition, BatchPtr rows, Offset begin);

  /// Notes that rows of `batch` failed in an operator; returns the other rows, or null when none is
  /// left.
  BatchPtr Failed(const BatchPtr& batch, std::string_view operator_name, RowErrors& errors);

  /// Notes a group whose result is out of range, with weight +1, or that it is no longer, with -1.
  /// `group` is the group's columns as JSON.
  void AddGroupError(const Error& error, int32_t weight, std::string group);

  /// Notes that these rows of `batch` came too late for their window. The batch has offsets and
  /// watermarks.
  void AddLate(const Batch& batch, std::span<const uint32_t> rows, const WindowKey& window);

  const std::vector<ErrorRow>& errors() const { return errors_; }
  const std::vector<ErrorRow>& late() const { return late_; }

  /// in = accepted + filtered + late + failed holds at every commit.
  struct Counts {
    uint64_t in = 0;  ///< Rows that a hopping window multiplies count as often as they come out.
    uint64_t accepted = 0;
    uint64_t filtered = 0;
    uint64_t late = 0;
    uint64_t failed = 0;

    void Add(const Counts& other) {
      in += other.in;
      accepted += other.accepted;
      filtered += other.filtered;
      late += other.late;
      failed += other.failed;
    }
  };
  Counts counts;

 private:
  /// An error row for row `row` of `batch`, without code and message.
  ErrorRow Report(const Batch& batch, uint32_t row, std::string_view operator_name);

  const Micros now_;
  std::optional<uint32_t> partition_;
  BatchPtr source_;
  Offset source_begin_;
  std::optional<RowJsonWriter> source_writer_;  // Made when the first row is reported.
  std::vector<ErrorRow> errors_;
  std::vector<ErrorRow> late_;
};

}  // namespace millrace
