#pragma once

#include <memory>
#include <string>

#include "millrace/codec/local_time.h"
#include "millrace/codec/record_decoder.h"
#include "millrace/codec/timestamp_format.h"

namespace millrace {

struct LineDecoderOptions {
  /// RE2 syntax (https://github.com/google/re2/wiki/Syntax). It must match a whole line; its named
  /// groups, (?P<name>...) or (?<name>...), are columns.
  std::string pattern;
  TimestampFormat timestamp_format;
  LocalTime time_zone;  ///< Of timestamps that name none.
  size_t record_bytes_max = size_t{1} << 20;
};

/// Decodes plain lines: what the pattern's named groups match is read as the type of the column of
/// that name, in PostgreSQL's text forms. A group that took no part in the match is NULL, and so is
/// an empty one unless the column is text. Columns without a group are NULL. Empty lines are
/// skipped, and a carriage return at the end of a line is no part of it.
///
/// Codes per record: kRecordNoMatch, kRecordMissingColumn (NOT NULL), kRecordTypeMismatch,
/// kRecordOutOfRange, kRecordInvalidText (NUL, bytes that are not UTF-8), kRecordInvalidTimestamp
/// (date, timestamptz), kRecordTooLarge. The first column that fails decides.
class LineDecoder final : public RecordDecoder {
 public:
  /// `schema` holds the columns to decode: without generated ones. Errors: kInvalidRegex;
  /// kConfigInvalidValue for a group without a column and for a NOT NULL column without a group.
  static Result<std::unique_ptr<LineDecoder>> Create(SchemaPtr schema,
                                                     const LineDecoderOptions& options);
  ~LineDecoder() override;

  void Decode(const BufferPtr& body, DecodedRecords& out) override;

 private:
  class Body;
  explicit LineDecoder(std::unique_ptr<Body> body);

  std::unique_ptr<Body> body_;
};

}  // namespace millrace
