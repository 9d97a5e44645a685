#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_key_predictor.h"
#include "millrace/codec/json_scan.h"
#include "millrace/codec/json_value_writer.h"
#include "millrace/data/schema.h"

namespace millrace::json {

/// Reads one JSON object at a time into a row. Fields are numbered as the schema's columns.
/// Not thread-safe; owned by a decoder.
class RecordReader {
 public:
  /// Field numbers beside the columns.
  static constexpr int32_t kUndeclared = -1;
  static constexpr int32_t kEndOfRecord = -2;
  static constexpr int32_t kNone = -3;

  /// `schema` must outlive the reader.
  RecordReader(const Schema& schema, const JsonDecoderOptions& options);

  ValueWriter& values() { return values_; }

  /// Reads the object at the cursor and moves behind it. On failure columns may hold parts of the
  /// row: Truncate them. The cursor is then where the problem was seen.
  Failure Read(Cursor& cursor);

  /// The field that the last failure of Read is about; empty when it is about none.
  const std::string& failed_name() const { return failed_name_; }

 private:
  Failure ReadPieces(Cursor& cursor);
  /// Reads from the end of a value to the begin of the next one, or over the end of the record.
  Failure ReadPiece(Cursor& cursor, bool first, KeyPredictor::Piece& piece);
  Failure FindField(const RawString& key, int32_t& field);
  Failure ReadValue(Cursor& cursor, const KeyPredictor::Piece& piece, const char* piece_begin);
  Failure ReadUndeclared(Cursor& cursor, std::string_view key);
  Failure FinishRow();

  const Schema& schema_;
  std::unordered_map<std::string, int32_t> fields_;
  const UndeclaredFields undeclared_;
  const size_t depth_max_;
  int32_t rest_column_ = kNone;
  ValueWriter values_;
  KeyPredictor predictor_;
  std::vector<uint64_t> seen_;  ///< By column: the number of the last record that had it.
  uint64_t record_ = 0;
  size_t columns_seen_ = 0;
  std::string failed_name_;
  std::string rest_;
  std::string key_;
};

}  // namespace millrace::json
