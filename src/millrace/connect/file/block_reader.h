#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millrace/connect/file/input_file.h"
#include "millrace/connect/file/record_cutter.h"
#include "millrace/data/buffer.h"

namespace millrace {

/// A record over the limit.
struct LongRecord {
  std::string beginning;  ///< At most BlockReader::kBeginningBytes.
  uint64_t bytes = 0;     ///< Length without its end.
};

/// What one call of BlockReader::Next found: records, or one long record, or neither.
struct RecordBlock {
  uint64_t begin = 0;  ///< Offset in the file.
  uint64_t end = 0;    ///< Behind the last record's end.
  BufferPtr records;   ///< Whole ones; null when there are none.
  std::optional<LongRecord> long_record;
  bool at_end = false;  ///< The file has no more at present.
};

/// Cuts a file into blocks of whole records, in memory bounded by the block and the longest record.
/// One thread at a time.
class BlockReader {
 public:
  static constexpr size_t kBeginningBytes = 4096;

  /// Starts at `offset`, the begin of a record. `block_bytes`: about how much a block holds.
  static Result<BlockReader> Create(InputFile file, const RecordCutter& cutter, uint64_t offset,
                                    size_t block_bytes, size_t record_bytes_max);

  /// Reads on. `take_rest`: what is behind the last record's end is one too, because the file does
  /// not grow. A block without anything, and not at the end: call again. `records` has
  /// json::kPaddingBytes readable bytes behind it. After an error the position is unchanged.
  Result<RecordBlock> Next(bool take_rest);

  /// Where the next block begins.
  uint64_t offset() const { return offset_; }
  /// Bytes behind `offset` that are read and no whole record yet.
  const std::string& rest() const { return rest_; }
  InputFile& file() { return file_; }
  /// Reads again what is behind offset(); after the file was used for something else.
  Status Rewind();

 private:
  BlockReader(InputFile file, const RecordCutter& cutter, uint64_t offset, size_t block_bytes,
              size_t record_bytes_max);

  Result<RecordBlock> SkipLongRecord(bool take_rest);
  RecordBlock TakeLongRecord(uint64_t end);

  InputFile file_;
  RecordCutter cutter_;
  uint64_t offset_;
  size_t block_bytes_;
  size_t record_bytes_max_;
  std::string rest_;
  std::optional<LongRecord> long_record_;  // The record at offset_ is being skipped.
};

}  // namespace millrace
