#include "millrace/codec/line_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/base/utf8.h"
#include "millrace/codec/line_pattern.h"
#include "millrace/codec/text_value_writer.h"

namespace millrace {

namespace {

std::string_view Trimmed(std::string_view line) {
  while (!line.empty() && std::strchr(" \t\r\n", line.back()) != nullptr && line.back() != '\0') {
    line.remove_suffix(1);
  }
  return line;
}

}  // namespace

class LineDecoder::Body {
 public:
  Body(SchemaPtr schema, LinePattern pattern, const LineDecoderOptions& options)
      : schema_(std::move(schema)),
        pattern_(std::move(pattern)),
        record_bytes_max_(options.record_bytes_max),
        values_(*schema_, TimestampReader(options.timestamp_format, options.time_zone)) {}

  void Decode(const BufferPtr& body, DecodedRecords& out) {
    MR_CHECK(body->size() <= std::numeric_limits<uint32_t>::max(), "{} bytes", body->size());
    out.errors.clear();
    out.originals.clear();
    out.records = 0;
    const std::string_view text = AsText(body->bytes());
    valid_utf8_ = IsValidUtf8(text);
    values_.Begin(body, 0);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      std::string_view line = text.substr(begin, end - begin);
      begin = end + 1;
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      }
      if (!line.empty()) {
        DecodeLine(line, out);
      }
    }
    const size_t rows = values_.rows();
    out.batch = Batch::Make(schema_, values_.Finish(), rows);
  }

 private:
  void DecodeLine(std::string_view line, DecodedRecords& out) {
    size_t column = schema_->size();
    const RecordFailure failure = AppendRow(line, column);
    const size_t record = out.records++;
    if (!failure) {
      values_.EndRow();
      out.originals.push_back(line);
      return;
    }
    values_.DropRow();
    std::string message(Describe(*failure).meaning);
    if (column < schema_->size()) {
      message += fmt::format(": {}", schema_->field(column).name);
    }
    out.errors.push_back({.record = record,
                          .code = *failure,
                          .message = std::move(message),
                          .original = Trimmed(line)});
  }

  /// `column` is set to where a failure was, if it was in a column.
  RecordFailure AppendRow(std::string_view line, size_t& column) {
    if (line.size() > record_bytes_max_) {
      return ErrorCode::kRecordTooLarge;
    }
    if (!valid_utf8_ && !IsValidUtf8(line)) {
      return ErrorCode::kRecordInvalidText;
    }
    if (std::memchr(line.data(), '\0', line.size()) != nullptr) {
      return ErrorCode::kRecordInvalidText;
    }
    if (!pattern_.Match(line, fields_)) {
      return ErrorCode::kRecordNoMatch;
    }
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (const RecordFailure failure = AppendField(i)) {
        column = i;
        return failure;
      }
    }
    return {};
  }

  RecordFailure AppendField(size_t column) {
    const std::optional<std::string_view> text = fields_[column];
    if (!text || (text->empty() && !values_.is_text(column))) {
      return values_.AppendNull(column);
    }
    return values_.Append(*text, column);
  }

  const SchemaPtr schema_;
  LinePattern pattern_;
  const size_t record_bytes_max_;
  TextValueWriter values_;
  std::vector<std::optional<std::string_view>> fields_;
  bool valid_utf8_ = true;
};

LineDecoder::LineDecoder(std::unique_ptr<Body> body) : body_(std::move(body)) {}
LineDecoder::~LineDecoder() = default;

Result<std::unique_ptr<LineDecoder>> LineDecoder::Create(SchemaPtr schema,
                                                         const LineDecoderOptions& options) {
  MR_ASSIGN(auto pattern, LinePattern::Compile(options.pattern, *schema));
  return std::unique_ptr<LineDecoder>(
      new LineDecoder(std::make_unique<Body>(std::move(schema), std::move(pattern), options)));
}

void LineDecoder::Decode(const BufferPtr& body, DecodedRecords& out) { body_->Decode(body, out); }

}  // namespace millrace
