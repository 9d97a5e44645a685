#pragma once

#include <optional>
#include <string_view>

#include "millrace/codec/csv_scan.h"

namespace millrace {

/// Finds where records of a file end: at line ends, or as CSV has it. Copied with each reader,
/// since it knows where it is in a record that is passed over. One thread at a time.
class RecordCutter {
 public:
  /// A record is a line.
  RecordCutter() = default;
  explicit RecordCutter(const csv::Dialect& dialect) : dialect_(dialect) {}

  /// Returns how many bytes of `text`, which begins with a record, whole records take. 32 bytes
  /// behind it are readable. `file_begin`: it is the begin of a file, where a byte order mark may
  /// stand.
  size_t WholeRecords(std::string_view text, bool file_begin) const;

  /// Before a record that comes in pieces.
  void BeginRecord();
  /// Returns how many bytes of the record's next piece belong to it, its line end included; npos
  /// when it does not end there.
  size_t FindEnd(std::string_view piece, bool file_begin);

 private:
  std::optional<csv::Dialect> dialect_;
  std::optional<csv::RecordScanner> scanner_;
};

}  // namespace millrace
