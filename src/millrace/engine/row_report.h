#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/data/batch.h"
#include "millrace/expr/row_errors.h"
#include "millrace/stream/error_row.h"

namespace millrace {

/// Rows that a task could not carry on with, and the accounting of an operator chain. One per task
/// and epoch; used by one thread.
class RowReport {
 public:
  explicit RowReport(Micros now) : now_(now) {}

  /// The next rows come from this source partition.
  void SetPartition(uint32_t partition) { partition_ = partition; }

  /// Notes that rows of `batch` failed in an operator; returns the other rows, or null when none is
  /// left.
  BatchPtr Failed(const BatchPtr& batch, std::string_view operator_name, RowErrors& errors);

  /// Notes a group whose result is out of range; `group` describes it.
  void AddGroupError(const Error& error, int32_t weight, std::string group) {
    errors_.push_back({.time = now_,
                       .code = error.code(),
                       .message = error.message(),
                       .operator_name = "aggregate",
                       .partition = std::nullopt,
                       .offset = std::nullopt,
                       .weight = weight,
                       .record = std::move(group)});
  }

  void AddLate(BatchPtr rows) { late_.push_back(std::move(rows)); }

  const std::vector<ErrorRow>& errors() const { return errors_; }
  const std::vector<BatchPtr>& late() const { return late_; }

  /// in = accepted + filtered + late + failed holds at every commit.
  struct Counts {
    uint64_t in = 0;
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
  const Micros now_;
  std::optional<uint32_t> partition_;
  std::vector<ErrorRow> errors_;
  std::vector<BatchPtr> late_;
};

}  // namespace millrace
