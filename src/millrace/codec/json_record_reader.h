#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_field_tree.h"
#include "millrace/codec/json_key_predictor.h"
#include "millrace/codec/json_scan.h"
#include "millrace/codec/json_value_writer.h"
#include "millrace/data/schema.h"

namespace millrace::json {

/// Reads one JSON object at a time into a row. Fields are numbered as in the FieldTree.
/// Not thread-safe; owned by a decoder.
class RecordReader {
 public:
  /// Field numbers beside those of the tree.
  static constexpr int32_t kUndeclared = FieldTree::kUndeclared;
  static constexpr int32_t kEndOfObject = -2;

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
  Failure ReadPiece(Cursor& cursor, KeyPredictor::Piece& piece);
  void FindField(const RawString& key, int32_t& field);
  Failure ReadValue(Cursor& cursor, const KeyPredictor::Piece& piece, const char* piece_begin);
  /// Enters an object that holds columns, or passes over null in its place.
  Failure ReadObject(Cursor& cursor, int32_t field);
  Failure ReadUndeclared(Cursor& cursor, std::string_view key);
  Failure FinishRow();

  const Schema& schema_;
  const UndeclaredFields undeclared_;
  const size_t depth_max_;
  const size_t rest_column_;  ///< schema_.size() when there is none.
  const FieldTree tree_;
  const size_t columns_count_;    ///< That fields fill.
  std::vector<size_t> required_;  ///< NOT NULL columns.
  ValueWriter values_;
  KeyPredictor predictor_;
  std::vector<uint64_t> seen_;  ///< By field: the number of the last record that had it.
  uint64_t record_ = 0;
  uint32_t object_ = 0;  ///< Where the cursor is.
  bool first_ = true;    ///< Before the object's first field.
  size_t columns_seen_ = 0;
  std::string failed_name_;
  std::string rest_;
  std::string key_;
};

}  // namespace millrace::json
