#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "millrace/codec/field_path.h"
#include "millrace/codec/json_scan.h"
#include "millrace/codec/local_time.h"
#include "millrace/codec/record_decoder.h"
#include "millrace/codec/timestamp_format.h"

namespace millrace {

/// How a body is cut into records.
enum class JsonFraming : uint8_t {
  kLines,     ///< One object per line (NDJSON); empty lines are skipped. A broken line ends at its
              ///< end.
  kDocument,  ///< An array of objects, one object, or objects one after the other.
};

/// What happens to fields that no column declares.
enum class UndeclaredFields : uint8_t {
  kIgnore,
  kKeep,   ///< They go to the column `_rest` of type jsonb, which the schema must have.
  kError,  ///< kRecordUnknownField.
};

struct JsonDecoderOptions {
  JsonFraming framing = JsonFraming::kLines;
  UndeclaredFields undeclared = UndeclaredFields::kIgnore;
  TimestampFormat timestamp_format;
  LocalTime time_zone;  ///< Of timestamps that name none.
  /// Columns whose value is not in the field of their name; FieldTree::Make takes them. Not
  /// together with kKeep.
  FieldPaths paths;
  size_t record_bytes_max = size_t{1} << 20;
  size_t depth_max = 64;        ///< Levels of objects and arrays, the record itself included.
  bool keep_originals = false;  ///< Fill DecodedRecords::originals.
};

/// Decodes JSON objects into rows and validates every column of the schema, whoever reads it.
///
/// Each column type takes one JSON type: numbers for numbers, true and false for boolean, strings
/// for text, bytea (\x hex), date, timestamptz, interval and uuid, anything for jsonb. Nothing is
/// converted silently: "1" is no number and 1 no text. As PostgreSQL's json_to_record does,
/// integers refuse 1.0 and 1e2; numeric rounds half away from zero. Floats also take "NaN",
/// "Infinity" and
/// "-Infinity". null and a missing field are NULL. Field names are compared exactly. A column may
/// stand in objects within the record (JsonDecoderOptions::paths); where such an object is null or
/// missing its columns are NULL.
///
/// Codes per record: kRecordSyntax, kRecordMissingColumn (NOT NULL), kRecordTypeMismatch,
/// kRecordOutOfRange, kRecordInvalidText (NUL, lone surrogate, bytes that are not UTF-8),
/// kRecordTooDeep, kRecordTooLarge, kRecordUnknownField, kRecordDuplicateKey (of a declared field),
/// kRecordInvalidTimestamp (date, timestamptz). The first problem from the left decides.
///
/// It learns the bytes between values from record to record, so that a record with the keys and
/// white space of an earlier one costs no key look-up (docs/internals/json-decoding.md). That never
/// changes a result. One thread at a time; reuse one decoder, it keeps what it has learned.
class JsonDecoder final : public RecordDecoder {
 public:
  /// `schema` holds the columns to decode: without generated ones.
  JsonDecoder(SchemaPtr schema, const JsonDecoderOptions& options);
  ~JsonDecoder() override;
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  /// `body` has json::kPaddingBytes readable bytes behind its end (see PaddedBuffer).
  void Decode(const BufferPtr& body, DecodedRecords& out) override;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// Copies `bytes` into a buffer with json::kPaddingBytes zeros behind.
BufferPtr PaddedBuffer(std::string_view bytes);

}  // namespace millrace
