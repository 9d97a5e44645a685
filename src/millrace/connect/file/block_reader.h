#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millrace/connect/file/input_file.h"
#include "millrace/data/buffer.h"

namespace millrace {

/// A line over the limit.
struct LongLine {
  std::string beginning;  ///< At most LineReader::kBeginningBytes.
  uint64_t bytes = 0;     ///< Length without its end.
};

/// What one call of LineReader::Next found: lines, or one long line, or neither.
struct LineBlock {
  uint64_t begin = 0;  ///< Offset in the file.
  uint64_t end = 0;    ///< Behind the last line's end.
  BufferPtr lines;     ///< Whole lines; null when there are none.
  std::optional<LongLine> long_line;
  bool at_end = false;  ///< The file has no more at present.
};

/// Cuts a file into blocks of whole lines, in memory bounded by the block and the longest line. One
/// thread at a time.
class LineReader {
 public:
  static constexpr size_t kBeginningBytes = 4096;

  /// Starts at `offset`, the begin of a line. `block_bytes`: about how much a block holds.
  static Result<LineReader> Create(InputFile file, uint64_t offset, size_t block_bytes,
                                   size_t line_bytes_max);

  /// Reads on. `take_rest`: what is behind the last line end is a line too, because the file does
  /// not grow. A block without anything, and not at the end: call again. `lines` has
  /// json::kPaddingBytes readable bytes behind it. After an error the position is unchanged.
  Result<LineBlock> Next(bool take_rest);

  /// Where the next block begins.
  uint64_t offset() const { return offset_; }
  /// Bytes behind `offset` that are read and no whole line yet.
  const std::string& rest() const { return rest_; }
  InputFile& file() { return file_; }
  /// Reads again what is behind offset(); after the file was used for something else.
  Status Rewind();

 private:
  LineReader(InputFile file, uint64_t offset, size_t block_bytes, size_t line_bytes_max);

  Result<LineBlock> SkipLongLine(bool take_rest);
  LineBlock TakeLongLine(uint64_t end);

  InputFile file_;
  uint64_t offset_;
  size_t block_bytes_;
  size_t line_bytes_max_;
  std::string rest_;
  std::optional<LongLine> long_line_;  // The line at offset_ is being skipped.
};

}  // namespace millrace
