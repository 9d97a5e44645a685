#include "millrace/codec/line_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/line_pattern.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"
#include "millrace/data/utf8.h"

namespace millrace {

namespace {

using Failure = std::optional<ErrorCode>;

Failure FailureOf(ScanOutcome outcome) {
  switch (outcome) {
    case ScanOutcome::kOk:
      return {};
    case ScanOutcome::kOutOfRange:
      return ErrorCode::kRecordOutOfRange;
    case ScanOutcome::kInvalid:
      break;
  }
  return ErrorCode::kRecordTypeMismatch;
}

template <typename T>
Failure AppendScanned(ScanOutcome outcome, const T& value, ColumnBuilder& builder) {
  const Failure failure = FailureOf(outcome);
  if (!failure) {
    builder.AppendFixed(value);
  }
  return failure;
}

template <typename T>
Failure AppendInteger(std::string_view text, ColumnBuilder& builder) {
  int64_t value = 0;
  const ScanOutcome outcome =
      ScanInteger(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value);
  return AppendScanned(outcome, static_cast<T>(value), builder);
}

/// Scans with `scan(text, value)` and appends.
template <typename T, typename Scan>
Failure AppendWith(Scan scan, std::string_view text, ColumnBuilder& builder) {
  T value{};
  const ScanOutcome outcome = scan(text, value);
  return AppendScanned(outcome, value, builder);
}

Failure AppendTimestamp(std::string_view text, const LocalTime& zone, ColumnBuilder& builder) {
  Micros value = 0;
  if (ScanTimestamptz(text, value) != ScanOutcome::kOk) {
    return ErrorCode::kRecordInvalidTimestamp;
  }
  if (!HasTimeZone(text)) {
    value = zone.ToUtc(value);
    if (value < kTimestampMin || value > kTimestampMax) {
      return ErrorCode::kRecordInvalidTimestamp;
    }
  }
  builder.AppendFixed(value);
  return {};
}

Failure AppendJson(std::string_view text, ColumnBuilder& builder) {
  constexpr size_t kDepthMax = 64;
  std::string canonical;
  if (const auto failure = AppendCanonicalJson(canonical, text, kDepthMax)) {
    return *failure;
  }
  builder.AppendText(canonical);
  return {};
}

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
      : schema_(std::move(schema)), pattern_(std::move(pattern)), options_(options) {
    for (const Field& field : schema_->fields()) {
      builders_.emplace_back(field.type);
    }
    backings_.resize(schema_->size());
  }

  void Decode(const BufferPtr& body, DecodedRecords& out) {
    MR_CHECK(body->size() <= std::numeric_limits<uint32_t>::max(), "{} bytes", body->size());
    out.errors.clear();
    out.originals.clear();
    out.records = 0;
    rows_ = 0;
    const std::string_view text = AsText(body->bytes());
    valid_utf8_ = IsValidUtf8(text);
    for (size_t i = 0; i < builders_.size(); ++i) {
      if (builders_[i].type().is_variable()) {
        backings_[i] = builders_[i].AddBacking(body);
      }
    }
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
    std::vector<Column> columns;
    for (ColumnBuilder& builder : builders_) {
      columns.push_back(builder.Finish());
    }
    out.batch = Batch::Make(schema_, std::move(columns), rows_);
  }

 private:
  void DecodeLine(std::string_view line, DecodedRecords& out) {
    size_t column = schema_->size();
    const Failure failure = AppendRow(line, column);
    const size_t record = out.records++;
    if (!failure) {
      ++rows_;
      out.originals.push_back(line);
      return;
    }
    for (ColumnBuilder& builder : builders_) {
      if (builder.size() > rows_) {
        builder.Truncate(rows_);
      }
    }
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
  Failure AppendRow(std::string_view line, size_t& column) {
    if (line.size() > options_.record_bytes_max) {
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
      if (const Failure failure = AppendField(i)) {
        column = i;
        return failure;
      }
    }
    return {};
  }

  Failure AppendField(size_t column) {
    const std::optional<std::string_view> text = fields_[column];
    ColumnBuilder& builder = builders_[column];
    const bool is_text = builder.type().id == TypeId::kText;
    if (text && is_text) {
      builder.AppendBackedText(*text, backings_[column]);
      return {};
    }
    if (!text || text->empty()) {
      if (!schema_->field(column).nullable) {
        return ErrorCode::kRecordMissingColumn;
      }
      builder.AppendNull();
      return {};
    }
    return AppendValue(*text, builder);
  }

  Failure AppendValue(std::string_view text, ColumnBuilder& builder) const {
    const DataType& type = builder.type();
    switch (type.id) {
      case TypeId::kBoolean: {
        bool value = false;
        const Failure failure = FailureOf(ScanBoolean(text, value));
        if (!failure) {
          builder.AppendBool(value);
        }
        return failure;
      }
      case TypeId::kInt16:
        return AppendInteger<int16_t>(text, builder);
      case TypeId::kInt32:
        return AppendInteger<int32_t>(text, builder);
      case TypeId::kInt64:
        return AppendInteger<int64_t>(text, builder);
      case TypeId::kFloat32:
        return AppendWith<float>(ScanFloat, text, builder);
      case TypeId::kFloat64:
        return AppendWith<double>(ScanDouble, text, builder);
      case TypeId::kNumeric: {
        Int128 value = 0;
        const ScanOutcome outcome = ScanNumeric(text, type.precision, type.scale, value);
        return AppendScanned(outcome, value, builder);
      }
      case TypeId::kDate:
        return AppendWith<int32_t>(ScanDate, text, builder) ? ErrorCode::kRecordInvalidTimestamp
                                                            : Failure();
      case TypeId::kTimestamptz:
        return AppendTimestamp(text, options_.time_zone, builder);
      case TypeId::kInterval:
        return AppendWith<Interval>(ScanInterval, text, builder);
      case TypeId::kUuid:
        return AppendWith<Uuid>(ScanUuid, text, builder);
      case TypeId::kBytea: {
        std::string bytes;
        const Failure failure = FailureOf(ScanBytea(text, bytes));
        if (!failure) {
          builder.AppendText(bytes);
        }
        return failure;
      }
      case TypeId::kJsonb:
        return AppendJson(text, builder);
      case TypeId::kText:
        break;
    }
    MR_CHECK(false, "type {}", static_cast<int>(type.id));
  }

  const SchemaPtr schema_;
  LinePattern pattern_;
  const LineDecoderOptions options_;
  std::vector<ColumnBuilder> builders_;
  std::vector<uint32_t> backings_;
  std::vector<std::optional<std::string_view>> fields_;
  size_t rows_ = 0;
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
