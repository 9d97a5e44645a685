#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/error.h"
#include "millrace/data/batch.h"

namespace millrace {

/// Why one record was refused. It has left nothing in the batch.
struct RecordError {
  size_t record = 0;  ///< Index among all records of the body, refused ones included.
  ErrorCode code = ErrorCode::kRecordSyntax;
  std::string message;        ///< Static text first, then the column.
  std::string_view original;  ///< Lies in the body; trimmed of white space at its end.
};

struct DecodedRecords {
  BatchPtr batch;  ///< The accepted records, in order; its texts refer to the body.
  std::vector<RecordError> errors;
  size_t records = 0;  ///< Accepted and refused.
  /// The bytes of each row of the batch, in the body; JsonDecoder keeps them only on demand.
  std::vector<std::string_view> originals;
};

/// Turns bytes of one format into rows of one schema, with an error for each refused record.
/// Implementations: JsonDecoder, LineDecoder, CsvDecoder. One thread at a time; reuse one, it keeps
/// memory and what it has learned.
class RecordDecoder {
 public:
  RecordDecoder() = default;
  RecordDecoder(const RecordDecoder&) = delete;
  RecordDecoder& operator=(const RecordDecoder&) = delete;
  RecordDecoder(RecordDecoder&&) = default;
  RecordDecoder& operator=(RecordDecoder&&) = default;
  virtual ~RecordDecoder() = default;

  /// For formats whose files begin with a header: reads it from the begin of a file, and goes by it
  /// until the next one. Returns how many bytes of the file are no records.
  virtual size_t TakeHeader(std::string_view /*file_begin*/) { return 0; }

  /// Replaces `out`. `body`: at most 4 GiB. The batch keeps it alive; errors refer to it without
  /// doing so.
  virtual void Decode(const BufferPtr& body, DecodedRecords& out) = 0;
};

}  // namespace millrace
