#include "millrace/codec/json_record_reader.h"

#include <algorithm>

#include "millrace/base/check.h"

namespace millrace::json {

namespace {

constexpr std::string_view kRestColumn = "_rest";
/// Bytes of a foreign field's name in a message.
constexpr size_t kNameBytesMax = 64;

size_t RestColumn(const Schema& schema, const JsonDecoderOptions& options) {
  MR_CHECK(options.depth_max >= 1);
  if (options.undeclared != UndeclaredFields::kKeep) {
    return schema.size();
  }
  const auto column = schema.Find(kRestColumn);
  MR_CHECK(column && schema.field(*column).type.id == TypeId::kJsonb, "no column _rest jsonb");
  MR_CHECK(options.paths.empty(), "paths together with _rest");
  return *column;
}

FieldTree MakeTree(const Schema& schema, const JsonDecoderOptions& options, size_t rest_column) {
  auto tree = FieldTree::Make(schema, options.paths, rest_column);
  MR_CHECK(tree.has_value(), "{}", tree.error().ToString());
  return *std::move(tree);
}

/// Levels within a column's value: without the record and the objects around it.
std::vector<size_t> DepthsMax(const FieldTree& tree, size_t depth_max) {
  std::vector<size_t> depths;
  depths.reserve(tree.columns_count());
  for (size_t column = 0; column < tree.columns_count(); ++column) {
    depths.push_back(depth_max - std::min(depth_max, size_t{tree.depth(column)} + 1));
  }
  return depths;
}

}  // namespace

RecordReader::RecordReader(const Schema& schema, const JsonDecoderOptions& options)
    : schema_(schema),
      undeclared_(options.undeclared),
      depth_max_(options.depth_max),
      rest_column_(RestColumn(schema, options)),
      tree_(MakeTree(schema, options, rest_column_)),
      columns_count_(schema.size() - (rest_column_ < schema.size() ? 1 : 0)),
      values_(schema, TimestampReader(options.timestamp_format, options.time_zone),
              DepthsMax(tree_, options.depth_max)),
      seen_(tree_.fields_count()) {
  for (size_t column = 0; column < schema.size(); ++column) {
    if (!schema.field(column).nullable) {
      required_.push_back(column);
    }
  }
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
  if (column >= schema_.size()) {
    Cursor copy = cursor;
    const Failure failure = ReadObject(copy, piece.field);
    cursor = copy;
    return failure;
  }
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
  object_ = 0;
  first_ = true;
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
    if (guess != KeyPredictor::kStart && predictor_.piece(guess).size <= cursor.left() &&
        predictor_.piece(guess).object == object_) [[likely]] {
      node = guess;
      piece = predictor_.piece(node);
      cursor.at += piece.size;
      if (IsSpace(cursor.Peek())) [[unlikely]] {
        SkipSpace(cursor);  // More than there was when the piece was learned.
      }
    } else {
      Cursor copy = cursor;
      const Failure failure = ReadPiece(copy, piece);
      cursor = copy;
      if (failure) {
        return failure;
      }
      node = predictor_.Learn(node, {begin, static_cast<size_t>(cursor.at - begin)}, piece);
    }
    first_ = false;
    if (piece.field == kEndOfObject) {
      if (object_ == 0) {
        return columns_seen_ == columns_count_ && rest_.empty() ? Failure() : FinishRow();
      }
      object_ = tree_.object(object_).parent;
      continue;
    }
    if (const Failure failure = ReadValue(cursor, piece, begin)) [[unlikely]] {
      return failure;
    }
  }
}

Failure RecordReader::ReadPiece(Cursor& cursor, KeyPredictor::Piece& piece) {
  const char* const begin = cursor.at;
  piece.object = object_;
  if (first_ && object_ == 0 && !cursor.Take('{')) {
    return ErrorCode::kRecordSyntax;
  }
  SkipSpace(cursor);
  if (cursor.Take('}')) {
    piece.field = kEndOfObject;
    piece.size = static_cast<uint32_t>(cursor.at - begin);
    return {};
  }
  if (!first_) {
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
  FindField(key, piece.field);
  return {};
}

void RecordReader::FindField(const RawString& key, int32_t& field) {
  key_.clear();
  if (!key.has_escapes) {
    key_ = key.text;
  } else if (Unescape(key.text, key_)) {
    field = kUndeclared;  // No column has such a name.
    return;
  }
  field = tree_.Find(object_, key_);
}

Failure RecordReader::ReadObject(Cursor& cursor, int32_t field) {
  const uint32_t object = tree_.ObjectOf(field);
  const auto fail = [&](ErrorCode code) {
    failed_name_ = tree_.object(object).path;
    return code;
  };
  uint64_t& seen = seen_[static_cast<size_t>(field)];
  if (seen == record_) {
    return fail(ErrorCode::kRecordDuplicateKey);
  }
  seen = record_;
  if (cursor.Peek() == 'n') {
    return ScanWord(cursor, "null");
  }
  const size_t depth = tree_.object(object).depth;
  if (cursor.Peek() != '{') {
    const Failure failure = SkipValue(cursor, depth_max_ - std::min(depth_max_, depth));
    return failure ? failure : Failure(fail(ErrorCode::kRecordTypeMismatch));
  }
  if (depth >= depth_max_) {
    return ErrorCode::kRecordTooDeep;
  }
  ++cursor.at;
  object_ = object;
  first_ = true;
  return {};
}

Failure RecordReader::ReadUndeclared(Cursor& cursor, std::string_view key) {
  if (undeclared_ == UndeclaredFields::kError) {
    failed_name_ = key.substr(0, kNameBytesMax);
    return ErrorCode::kRecordUnknownField;
  }
  const char* const begin = cursor.at;
  const Failure failure =
      SkipValue(cursor, depth_max_ - std::min(depth_max_, size_t{tree_.object(object_).depth} + 1));
  if (!failure && undeclared_ == UndeclaredFields::kKeep) {
    rest_ += rest_.empty() ? '{' : ',';
    rest_ += key;
    rest_ += ':';
    rest_.append(begin, cursor.at);
  }
  return failure;
}

Failure RecordReader::FinishRow() {
  if (!rest_.empty()) {
    rest_ += '}';
    seen_[rest_column_] = record_;
    if (const Failure failure = values_.AppendJson(rest_, rest_column_)) {
      failed_name_ = kRestColumn;
      return failure;
    }
  }
  for (const size_t column : required_) {
    if (seen_[column] != record_) {
      failed_name_ = schema_.field(column).name;
      return ErrorCode::kRecordMissingColumn;
    }
  }
  return {};
}

}  // namespace millrace::json
