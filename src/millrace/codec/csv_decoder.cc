#include "millrace/codec/csv_decoder.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/json_scan.h"
#include "millrace/codec/text_value_writer.h"

namespace millrace {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// Bytes of a foreign field's name in a message.
constexpr size_t kNameBytesMax = 64;

/// One field as it stands.
struct RawField {
  std::string_view text;  ///< Between its quotes, if it has any.
  bool quoted = false;
  bool has_escapes = false;
};

/// Takes fields from left to right, by the rules of csv_scan.h.
class FieldReader {
 public:
  enum class End : uint8_t { kField, kRecord };

  FieldReader(const csv::Dialect& dialect, const char* at, const char* end)
      : dialect_(dialect), at_(at), end_(end) {}

  const char* at() const { return at_; }
  bool done() const { return at_ == end_; }
  /// What was wrong with quotes of the record; null for nothing.
  const char* bad_quotes() const { return bad_quotes_; }
  void BeginRecord() { bad_quotes_ = nullptr; }

  /// Passes over an empty line; false when there is none.
  bool TakeEmptyLine() {
    const bool crlf = end_ - at_ > 1 && at_[0] == '\r' && at_[1] == '\n';
    if (!crlf && *at_ != '\n') {
      return false;
    }
    at_ += crlf ? 2 : 1;
    return true;
  }

  /// Reads one field and moves behind its delimiter or line end.
  [[gnu::always_inline]] End Take(RawField& field) {
    if (at_ != end_ && *at_ == dialect_.quote && dialect_.quote != '\0') {
      return TakeQuoted(field);
    }
    const char* const begin = at_;
    field.quoted = false;
    field.has_escapes = false;
    const char* stop = csv::FindEither(begin, end_, dialect_.delimiter, '\n');
    const char* escaped_end = begin;
    if (dialect_.escape != '\0') [[unlikely]] {
      stop = FindUnescaped(begin, escaped_end);
      field.has_escapes = escaped_end != begin;
    }
    return Finish(begin, escaped_end, stop, field);
  }

 private:
  /// As FindEither, passing over what stands behind escape characters. `escaped_end` becomes the
  /// end of the last of it, if there is any.
  const char* FindUnescaped(const char* at, const char*& escaped_end) const {
    while (true) {
      const char* const stop = csv::FindEither(at, end_, dialect_.delimiter, '\n');
      const void* const escape = std::memchr(at, dialect_.escape, static_cast<size_t>(stop - at));
      if (escape == nullptr) {
        return stop;
      }
      at = std::min(static_cast<const char*>(escape) + 2, end_);
      escaped_end = at;
    }
  }

  /// `escaped_end`: a carriage return before it is text.
  [[gnu::always_inline]] End Finish(const char* begin, const char* escaped_end, const char* stop,
                                    RawField& field) {
    const bool at_end = stop == end_;
    if (!at_end && *stop == dialect_.delimiter) {
      field.text = {begin, static_cast<size_t>(stop - begin)};
      at_ = stop + 1;
      return End::kField;
    }
    at_ = at_end ? stop : stop + 1;
    // A file's last record may lack its line end.
    const char* const text_end = stop != escaped_end && stop[-1] == '\r' ? stop - 1 : stop;
    field.text = {begin, static_cast<size_t>(text_end - begin)};
    return End::kRecord;
  }

  End TakeQuoted(RawField& field) {
    const char* const begin = at_ + 1;
    field.quoted = true;
    field.has_escapes = false;
    const char other = dialect_.escape == '\0' ? dialect_.quote : dialect_.escape;
    const char* at = begin;
    while (true) {
      at = csv::FindEither(at, end_, dialect_.quote, other);
      if (at == end_) {
        bad_quotes_ = "a quoted field does not end";
        field.text = {begin, static_cast<size_t>(end_ - begin)};
        at_ = end_;
        return End::kRecord;
      }
      const bool escaped = *at != dialect_.quote;
      if (!escaped && (end_ - at < 2 || at[1] != dialect_.quote)) {
        break;
      }
      field.has_escapes = true;
      at = std::min(at + 2, end_);
    }
    field.text = {begin, static_cast<size_t>(at - begin)};
    const char* const behind = at + 1;
    if (behind != end_ && *behind == dialect_.delimiter) [[likely]] {
      at_ = behind + 1;
      return End::kField;
    }
    const char* const line_end =
        end_ - behind > 0 && *behind == '\r' && (end_ - behind == 1 || behind[1] == '\n')
            ? behind + 1
            : behind;
    if (line_end == end_ || *line_end == '\n') {
      at_ = line_end == end_ ? end_ : line_end + 1;
      return End::kRecord;
    }
    bad_quotes_ = "text behind a closing quote";
    const char* escaped_end = behind;
    RawField rest;
    const char* const stop = dialect_.escape == '\0'
                                 ? csv::FindEither(behind, end_, dialect_.delimiter, '\n')
                                 : FindUnescaped(behind, escaped_end);
    return Finish(behind, escaped_end, stop, rest);
  }

  const csv::Dialect dialect_;
  const char* at_;
  const char* const end_;
  const char* bad_quotes_ = nullptr;
};

/// Appends a field's text without doubled quotes and escape characters.
void Unescape(const csv::Dialect& dialect, const RawField& field, std::string& out) {
  for (size_t i = 0; i < field.text.size(); ++i) {
    const char c = field.text[i];
    const bool escapes =
        (c == dialect.escape && dialect.escape != '\0') || (c == dialect.quote && field.quoted);
    i += escapes && i + 1 < field.text.size() ? 1 : 0;
    out += field.text[i];
  }
}

}  // namespace

class CsvDecoder::Body {
 public:
  Body(SchemaPtr schema, const CsvDecoderOptions& options)
      : schema_(std::move(schema)),
        options_(options),
        values_(*schema_, TimestampReader(options.timestamp_format, options.time_zone)) {
    MR_CHECK(options.undeclared != UndeclaredFields::kKeep);
    for (size_t column = 0; !options_.header && column < schema_->size(); ++column) {
      columns_.push_back(static_cast<int32_t>(column));
    }
  }

  size_t TakeHeader(std::string_view file) {
    const size_t mark = file.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    if (!options_.header) {
      return mark;
    }
    columns_.clear();
    missing_.clear();
    file_failure_ = {};
    failed_name_.clear();
    FieldReader reader(options_.dialect, file.data() + mark, file.data() + file.size());
    std::vector<bool> found(schema_->size());
    for (bool ended = reader.done(); !ended;) {
      RawField field;
      ended = reader.Take(field) == FieldReader::End::kRecord;
      AddName(field, found);
    }
    for (size_t column = 0; column < schema_->size(); ++column) {
      if (found[column]) {
        continue;
      }
      missing_.push_back(column);
      if (!schema_->field(column).nullable) {
        FailFile(ErrorCode::kRecordMissingColumn, schema_->field(column).name);
      }
    }
    return static_cast<size_t>(reader.at() - file.data());
  }

  void Decode(const BufferPtr& body, DecodedRecords& out) {
    MR_CHECK(body->size() <= std::numeric_limits<uint32_t>::max(), "{} bytes", body->size());
    out_ = &out;
    out.errors.clear();
    out.originals.clear();
    out.records = 0;
    const std::string_view text = AsText(body->bytes());
    valid_text_ = IsValid(text);
    constexpr size_t kRecordBytesMin = 4;
    values_.Begin(body, std::min(rows_expected_, text.size() / kRecordBytesMin));
    FieldReader reader(options_.dialect, text.data(), text.data() + text.size());
    while (!reader.done()) {
      if (columns_.size() != 1 && reader.TakeEmptyLine()) {
        continue;
      }
      DecodeRecord(reader);
    }
    rows_expected_ = values_.rows();
    const size_t rows = values_.rows();
    out.batch = Batch::Make(schema_, values_.Finish(), rows);
  }

 private:
  static bool IsValid(std::string_view text) {
    return text.empty() ||
           (json::ValidateUtf8(text) && std::memchr(text.data(), '\0', text.size()) == nullptr);
  }

  void AddName(const RawField& field, std::vector<bool>& found) {
    std::string name;
    Unescape(options_.dialect, field, name);
    const auto is_named = [&](size_t column) {
      const auto given = options_.names.find(schema_->field(column).name);
      return name == (given == options_.names.end() ? schema_->field(column).name
                                                    : PathText(given->second.front()));
    };
    size_t column = 0;
    while (column < schema_->size() && !is_named(column)) {
      ++column;
    }
    if (column == schema_->size()) {
      columns_.push_back(kNone);
      if (options_.undeclared == UndeclaredFields::kError) {
        FailFile(ErrorCode::kRecordUnknownField, name.substr(0, kNameBytesMax));
      }
      return;
    }
    if (found[column]) {
      FailFile(ErrorCode::kRecordDuplicateKey, name);
    }
    found[column] = true;
    columns_.push_back(static_cast<int32_t>(column));
  }

  /// All records of the file fail; the first reason counts.
  void FailFile(ErrorCode code, std::string_view name) {
    if (!file_failure_) {
      file_failure_ = code;
      failed_name_ = name;
    }
  }

  void DecodeRecord(FieldReader& reader) {
    const char* const begin = reader.at();
    reader.BeginRecord();
    RecordFailure failure = file_failure_;
    size_t failed_column = schema_->size();
    size_t fields = 0;
    RawField field;
    for (auto end = FieldReader::End::kField; end == FieldReader::End::kField; ++fields) {
      end = reader.Take(field);
      const int32_t column = fields < columns_.size() ? columns_[fields] : kNone;
      if (column != kNone && !failure) [[likely]] {
        failure = Append(field, static_cast<size_t>(column));
        failed_column = static_cast<size_t>(column);
      }
    }
    const std::string_view record = Trimmed(begin, reader.at());
    if (reader.bad_quotes() == nullptr && fields == columns_.size() && !failure &&
        record.size() <= options_.record_bytes_max && (valid_text_ || IsValid(record))) [[likely]] {
      for (const size_t column : missing_) {
        (void)values_.AppendNull(column);  // Nullable, or the file had failed.
      }
      values_.EndRow();
      ++out_->records;
      if (options_.keep_originals) {
        out_->originals.push_back(record);
      }
      return;
    }
    values_.DropRow();
    Refuse(record, Reason(record, failure, failed_column, fields, reader.bad_quotes()));
  }

  RecordFailure Append(const RawField& field, size_t column) {
    if (!field.quoted && field.text.size() == options_.null_text.size() &&
        field.text == options_.null_text) {
      return values_.AppendNull(column);
    }
    if (!field.has_escapes) [[likely]] {
      return values_.Append(field.text, column);
    }
    unescaped_.clear();
    Unescape(options_.dialect, field, unescaped_);
    return values_.AppendCopy(unescaped_, column);
  }

  /// Why a record is refused: what is wrong with it as a whole comes before what is wrong in it.
  std::pair<ErrorCode, std::string> Reason(std::string_view record, const RecordFailure& failure,
                                           size_t failed_column, size_t fields,
                                           const char* bad_quotes) const {
    if (record.size() > options_.record_bytes_max) {
      return {ErrorCode::kRecordTooLarge, ""};
    }
    if (!valid_text_ && !IsValid(record)) {
      return {ErrorCode::kRecordInvalidText, ""};
    }
    if (file_failure_) {
      return {*file_failure_, failed_name_};
    }
    if (bad_quotes != nullptr) {
      return {ErrorCode::kRecordSyntax, bad_quotes};
    }
    if (fields != columns_.size()) {
      return {ErrorCode::kRecordSyntax,
              fmt::format("{} fields instead of {}", fields, columns_.size())};
    }
    return {*failure, schema_->field(failed_column).name};
  }

  void Refuse(std::string_view record, std::pair<ErrorCode, std::string> reason) {
    std::string message(Describe(reason.first).meaning);
    if (!reason.second.empty()) {
      message += fmt::format(": {}", reason.second);
    }
    out_->errors.push_back({.record = out_->records++,
                            .code = reason.first,
                            .message = std::move(message),
                            .original = record});
  }

  static std::string_view Trimmed(const char* begin, const char* end) {
    if (end != begin && end[-1] == '\n') {
      --end;
    }
    if (end != begin && end[-1] == '\r') {
      --end;
    }
    return {begin, static_cast<size_t>(end - begin)};
  }

  static constexpr int32_t kNone = -1;

  const SchemaPtr schema_;
  const CsvDecoderOptions options_;
  TextValueWriter values_;
  std::vector<int32_t> columns_;  ///< By field of a record: its column, or kNone.
  std::vector<size_t> missing_;   ///< Columns without a field.
  RecordFailure file_failure_;    ///< Of each record, for its file's header.
  std::string failed_name_;       ///< What file_failure_ is about.
  DecodedRecords* out_ = nullptr;
  size_t rows_expected_ = 0;
  bool valid_text_ = true;
  std::string unescaped_;
};

CsvDecoder::CsvDecoder(SchemaPtr schema, const CsvDecoderOptions& options)
    : body_(std::make_unique<Body>(std::move(schema), options)) {}
CsvDecoder::~CsvDecoder() = default;

size_t CsvDecoder::TakeHeader(std::string_view file_begin) { return body_->TakeHeader(file_begin); }
void CsvDecoder::Decode(const BufferPtr& body, DecodedRecords& out) { body_->Decode(body, out); }

}  // namespace millrace
