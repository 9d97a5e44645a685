#include "millrace/codec/json_decoder.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/json_record_reader.h"

namespace millrace {

using json::Cursor;
using json::Failure;
using json::RecordReader;

class JsonDecoder::Body {
 public:
  Body(SchemaPtr schema, const JsonDecoderOptions& options)
      : schema_(std::move(schema)), options_(options), reader_(*schema_, options) {}

  void Decode(const BufferPtr& body, DecodedRecords& out) {
    MR_CHECK(body->size() <= std::numeric_limits<uint32_t>::max(), "{} bytes", body->size());
    out_ = &out;
    out.errors.clear();
    out.originals.clear();
    out.records = 0;
    // As many rows as the last body had, but not more than this one can hold.
    constexpr size_t kRecordBytesMin = 8;
    const size_t rows_expected = std::min(rows_, body->size() / kRecordBytesMin);
    rows_ = 0;
    const std::string_view text = AsText(body->bytes());
    valid_utf8_ = json::ValidateUtf8(text);
    reader_.values().Begin(body, rows_expected);
    Cursor cursor{.at = text.data(), .end = text.data() + text.size()};
    if (text.starts_with("\xEF\xBB\xBF")) {
      cursor.at += 3;
    }
    if (options_.framing == JsonFraming::kLines) {
      DecodeLines(cursor);
    } else {
      DecodeDocument(cursor);
    }
    out.batch = Batch::Make(schema_, reader_.values().Finish(), rows_);
  }

 private:
  void DecodeLines(Cursor cursor) {
    while (!cursor.done()) {
      const void* newline = std::memchr(cursor.at, '\n', cursor.left());
      const char* const line_end =
          newline == nullptr ? cursor.end : static_cast<const char*>(newline);
      Cursor line{.at = cursor.at, .end = line_end};
      cursor.at = line_end == cursor.end ? line_end : line_end + 1;
      json::SkipSpace(line);
      if (!line.done()) {
        DecodeLine(line);
      }
    }
  }

  void DecodeLine(Cursor line) {
    const char* const begin = line.at;
    Failure failure = ReadRecord(line);
    if (!failure) {
      json::SkipSpace(line);
      if (!line.done()) {
        failure = ErrorCode::kRecordSyntax;
      }
    }
    Conclude(failure, begin, line.end);
  }

  /// Reads one record whose end is not known before; the cursor ends behind it, also on failure.
  void DecodeElement(Cursor& cursor) {
    const char* const begin = cursor.at;
    const Failure failure = ReadRecord(cursor);
    if (failure) {
      cursor.at = json::FindValueEnd(begin, cursor.end);
    }
    Conclude(failure, begin, cursor.at);
  }

  void DecodeDocument(Cursor cursor) {
    json::SkipSpace(cursor);
    if (!cursor.Take('[')) {
      while (!cursor.done()) {
        DecodeElement(cursor);
        json::SkipSpace(cursor);
        if (cursor.Peek() == ',' || cursor.Peek() == ']' || cursor.Peek() == '}') {
          return RefuseRest(cursor);
        }
      }
      return;
    }
    json::SkipSpace(cursor);
    if (!cursor.Take(']')) {
      while (true) {
        DecodeElement(cursor);
        json::SkipSpace(cursor);
        if (cursor.Take(']')) {
          break;
        }
        if (!cursor.Take(',')) {
          return RefuseRest(cursor);
        }
        json::SkipSpace(cursor);
      }
    }
    json::SkipSpace(cursor);
    if (!cursor.done()) {
      RefuseRest(cursor);
    }
  }

  /// One error for all that follows a broken array. At the end of the body: for the missing
  /// bracket.
  void RefuseRest(Cursor cursor) { Conclude(ErrorCode::kRecordSyntax, cursor.at, cursor.end); }

  Failure ReadRecord(Cursor& cursor) {
    const char* const begin = cursor.at;
    const bool lines = options_.framing == JsonFraming::kLines;
    if (lines && cursor.left() > options_.record_bytes_max) {
      return ErrorCode::kRecordTooLarge;
    }
    if (!valid_utf8_ && lines && !json::ValidateUtf8({begin, cursor.left()})) {
      return ErrorCode::kRecordInvalidText;
    }
    if (const Failure failure = reader_.Read(cursor)) {
      failed_name_ = reader_.failed_name();
      return failure;
    }
    const std::string_view record(begin, static_cast<size_t>(cursor.at - begin));
    if (record.size() > options_.record_bytes_max) {
      return ErrorCode::kRecordTooLarge;
    }
    if (!valid_utf8_ && !lines && !json::ValidateUtf8(record)) {
      return ErrorCode::kRecordInvalidText;
    }
    return {};
  }

  static std::string_view Trimmed(const char* begin, const char* end) {
    while (end != begin && json::IsSpace(end[-1])) {
      --end;
    }
    return {begin, static_cast<size_t>(end - begin)};
  }

  /// Keeps the row, or takes it back and reports why.
  void Conclude(const Failure& failure, const char* begin, const char* end) {
    const size_t record = out_->records++;
    if (!failure) [[likely]] {
      ++rows_;
      reader_.values().EndRow();
      if (options_.keep_originals) {
        out_->originals.push_back(Trimmed(begin, end));
      }
      return;
    }
    reader_.values().DropRow();
    std::string message(Describe(*failure).meaning);
    if (!failed_name_.empty()) {
      message += fmt::format(": {}", failed_name_);
    }
    out_->errors.push_back({.record = record,
                            .code = *failure,
                            .message = std::move(message),
                            .original = Trimmed(begin, end)});
    failed_name_.clear();
  }

  SchemaPtr schema_;
  JsonDecoderOptions options_;
  RecordReader reader_;
  DecodedRecords* out_ = nullptr;
  size_t rows_ = 0;
  std::string failed_name_;  ///< The field that the current failure is about; empty = none.
  bool valid_utf8_ = true;
};

JsonDecoder::JsonDecoder(SchemaPtr schema, const JsonDecoderOptions& options)
    : body_(std::make_unique<Body>(std::move(schema), options)) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder& JsonDecoder::operator=(JsonDecoder&&) noexcept = default;

void JsonDecoder::Decode(const BufferPtr& body, DecodedRecords& out) { body_->Decode(body, out); }

BufferPtr PaddedBuffer(std::string_view bytes) {
  auto owner = std::make_shared<std::string>();
  owner->reserve(bytes.size() + json::kPaddingBytes);
  owner->append(bytes);
  owner->append(json::kPaddingBytes, '\0');
  const auto view = std::as_bytes(std::span(owner->data(), bytes.size()));
  return std::make_shared<const Buffer>(view, std::move(owner));
}

}  // namespace millrace
