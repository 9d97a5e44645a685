#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "millrace/codec/csv_scan.h"
#include "millrace/codec/field_path.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/local_time.h"
#include "millrace/codec/record_decoder.h"
#include "millrace/codec/timestamp_format.h"

namespace millrace {

struct CsvDecoderOptions {
  csv::Dialect dialect;
  /// A file's first record names its fields. Else they are the columns, in order.
  bool header = true;
  std::string null_text;  ///< An unquoted field of this text is NULL.
  /// kIgnore or kError.
  UndeclaredFields undeclared = UndeclaredFields::kIgnore;
  TimestampFormat timestamp_format;
  LocalTime time_zone;  ///< Of timestamps that name none.
  FieldPaths names;  ///< Fields of columns that are not named as they are; the first place counts.
  size_t record_bytes_max = size_t{1} << 20;
  bool keep_originals = false;  ///< Fill DecodedRecords::originals.
};

/// Decodes CSV (RFC 4180; csv_scan.h) into rows: each field is read as the type of its column, in
/// PostgreSQL's text forms. A quoted field is never NULL. Fields without a column are passed over,
/// and columns without a field are NULL. Records end with LF or CRLF; an empty line is a record of
/// one empty field where records have one field, else it is skipped. A byte order mark in front of
/// a file is skipped.
///
/// Codes per record: kRecordSyntax (another number of fields than the header, text behind a closing
/// quote, a quoted field that does not end), kRecordMissingColumn (NOT NULL), kRecordTypeMismatch,
/// kRecordOutOfRange, kRecordInvalidText (NUL, bytes that are not UTF-8), kRecordInvalidTimestamp
/// (date, timestamptz), kRecordTooLarge; for all records of a file whose header lacks a NOT NULL
/// column kRecordMissingColumn, names one twice kRecordDuplicateKey, and names one that there is
/// not kRecordUnknownField (kError).
class CsvDecoder final : public RecordDecoder {
 public:
  /// `schema` holds the columns to decode: without generated ones.
  CsvDecoder(SchemaPtr schema, const CsvDecoderOptions& options);
  ~CsvDecoder() override;

  /// Takes the byte order mark and the header, a whole record. `file_begin` has
  /// json::kPaddingBytes readable bytes behind its end.
  size_t TakeHeader(std::string_view file_begin) override;
  /// `body` has json::kPaddingBytes readable bytes behind its end. Only its last record may lack
  /// its line end.
  void Decode(const BufferPtr& body, DecodedRecords& out) override;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

}  // namespace millrace
