#include "millrace/codec/json_record_reader.h"

#include "millrace/base/check.h"

namespace millrace::json {

namespace {

constexpr std::string_view kRestColumn = "_rest";
/// Bytes of a foreign field's name in a message.
constexpr size_t kNameBytesMax = 64;

}  // namespace

RecordReader::RecordReader(const Schema& schema, const JsonDecoderOptions& options)
    : schema_(schema),
      undeclared_(options.undeclared),
      depth_max_(options.depth_max - 1),
      values_(schema, options.epoch_millis, options.depth_max - 1),
      seen_(schema.size()) {
  MR_CHECK(options.depth_max >= 1);
  for (size_t i = 0; i < schema.size(); ++i) {
    if (undeclared_ == UndeclaredFields::kKeep && schema.field(i).name == kRestColumn) {
      MR_CHECK(schema.field(i).type.id == TypeId::kJsonb, "_rest must be jsonb");
      rest_column_ = static_cast<int32_t>(i);
    } else {
      fields_.emplace(schema.field(i).name, static_cast<int32_t>(i));
    }
  }
  MR_CHECK(undeclared_ != UndeclaredFields::kKeep || rest_column_ != kNone, "no column _rest");
}

[[gnu::always_inline]] inline Failure RecordReader::ReadValue(Cursor& cursor,
                                                              const KeyPredictor::Piece& piece,
                                                              const char* piece_begin) {
  if (piece.field == kUndeclared) {
    Cursor copy = cursor;
    const Failure failure = ReadUndeclared(copy, {piece_begin + piece.key_begin, piece.key_size});
    cursor = copy;
    return failure;
  }
  const auto column = static_cast<size_t>(piece.field);
  if (seen_[column] == record_) [[unlikely]] {
    failed_name_ = schema_.field(column).name;
    return ErrorCode::kRecordDuplicateKey;
  }
  seen_[column] = record_;
  ++columns_seen_;
  const Failure failure = values_.Append(cursor, column);
  if (failure) [[unlikely]] {
    failed_name_ = schema_.field(column).name;
  }
  return failure;
}

Failure RecordReader::Read(Cursor& cursor) {
  ++record_;
  columns_seen_ = 0;
  failed_name_.clear();
  rest_.clear();
  // A local copy, whose address only rare calls take, so that it stays in registers.
  Cursor at = cursor;
  const Failure failure = ReadPieces(at);
  cursor = at;
  return failure;
}

[[gnu::always_inline]] inline Failure RecordReader::ReadPieces(Cursor& cursor) {
  KeyPredictor::Node node = KeyPredictor::kStart;
  while (true) {
    const char* const begin = cursor.at;
    KeyPredictor::Piece piece;
    const KeyPredictor::Node guess = predictor_.Guess(node, begin);
    if (guess != KeyPredictor::kStart && predictor_.piece(guess).size <= cursor.left()) [[likely]] {
      node = guess;
      piece = predictor_.piece(node);
      cursor.at += piece.size;
      if (IsSpace(cursor.Peek())) [[unlikely]] {
        SkipSpace(cursor);  // More than there was when the piece was learned.
      }
    } else {
      Cursor copy = cursor;
      const Failure failure = ReadPiece(copy, node == KeyPredictor::kStart, piece);
      cursor = copy;
      if (failure) {
        return failure;
      }
      node = predictor_.Learn(node, {begin, static_cast<size_t>(cursor.at - begin)}, piece);
    }
    if (piece.field == kEndOfRecord) {
      return columns_seen_ == seen_.size() ? Failure() : FinishRow();
    }
    if (const Failure failure = ReadValue(cursor, piece, begin)) [[unlikely]] {
      return failure;
    }
  }
}

Failure RecordReader::ReadPiece(Cursor& cursor, bool first, KeyPredictor::Piece& piece) {
  const char* const begin = cursor.at;
  if (first && !cursor.Take('{')) {
    return ErrorCode::kRecordSyntax;
  }
  SkipSpace(cursor);
  if (cursor.Take('}')) {
    piece = {.field = kEndOfRecord, .size = static_cast<uint32_t>(cursor.at - begin)};
    return {};
  }
  if (!first) {
    if (!cursor.Take(',')) {
      return ErrorCode::kRecordSyntax;
    }
    SkipSpace(cursor);
  }
  if (cursor.Peek() != '"') {
    return ErrorCode::kRecordSyntax;
  }
  const char* const key_begin = cursor.at;
  RawString key;
  if (const Failure failure = ScanString(cursor, key)) {
    return failure;
  }
  const char* const key_end = cursor.at;
  SkipSpace(cursor);
  if (!cursor.Take(':')) {
    return ErrorCode::kRecordSyntax;
  }
  SkipSpace(cursor);
  piece.size = static_cast<uint32_t>(cursor.at - begin);
  piece.key_begin = static_cast<uint32_t>(key_begin - begin);
  piece.key_size = static_cast<uint32_t>(key_end - key_begin);
  return FindField(key, piece.field);
}

Failure RecordReader::FindField(const RawString& key, int32_t& field) {
  key_.clear();
  if (!key.has_escapes) {
    key_ = key.text;
  } else if (Unescape(key.text, key_)) {
    field = kUndeclared;  // No column has such a name.
    return {};
  }
  const auto found = fields_.find(key_);
  field = found == fields_.end() ? kUndeclared : found->second;
  return {};
}

Failure RecordReader::ReadUndeclared(Cursor& cursor, std::string_view key) {
  if (undeclared_ == UndeclaredFields::kError) {
    failed_name_ = key.substr(0, kNameBytesMax);
    return ErrorCode::kRecordUnknownField;
  }
  const char* const begin = cursor.at;
  const Failure failure = SkipValue(cursor, depth_max_);
  if (!failure && undeclared_ == UndeclaredFields::kKeep) {
    rest_ += rest_.empty() ? '{' : ',';
    rest_ += key;
    rest_ += ':';
    rest_.append(begin, cursor.at);
  }
  return failure;
}

Failure RecordReader::FinishRow() {
  for (size_t column = 0; column < seen_.size(); ++column) {
    if (seen_[column] == record_) {
      continue;
    }
    if (static_cast<int32_t>(column) == rest_column_ && !rest_.empty()) {
      rest_ += '}';
      if (const Failure failure = values_.AppendJson(rest_, column)) {
        failed_name_ = kRestColumn;
        return failure;
      }
    } else if (values_.nullable(column)) {
      values_.AppendNull(column);
    } else {
      failed_name_ = schema_.field(column).name;
      return ErrorCode::kRecordMissingColumn;
    }
  }
  return {};
}

}  // namespace millrace::json
