#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"

namespace millrace {

/// A piece of a file's content, by which it is known again wherever it is: the bytes and their
/// hash. No bytes: nothing is known.
struct ContentMark {
  static constexpr size_t kBytesMax = 1024;

  uint32_t bytes = 0;
  uint64_t hash = 0;

  static ContentMark Of(std::string_view content);
  friend bool operator==(const ContentMark&, const ContentMark&) = default;
};

/// How far one file has been read: the position that is committed with its records. Offsets count
/// decompressed bytes.
struct SplitPosition {
  std::string path;  ///< Where it was last seen.
  uint64_t device = 0;
  uint64_t inode = 0;
  uint32_t partition = 0;
  bool finished = false;  ///< Nothing more is read of it.
  uint64_t offset = 0;
  Micros max_event_time = kMicrosMin;  ///< Of its records so far.
  ContentMark head;                    ///< The first bytes.
  ContentMark tail;                    ///< The last bytes before `offset`.

  /// The stored form: docs/connectors/file.md.
  std::string Encode() const;
  /// kCorruption.
  static Result<SplitPosition> Decode(std::string_view stored);
};

}  // namespace millrace
