#include "millrace/codec/timestamp_reader.h"

namespace millrace {

TimestampReader::TimestampReader(TimestampFormat format, const LocalTime& zone)
    : format_(std::move(format)),
      zone_(zone),
      columns_(format_.columns().value_or(TimestampFormat::Columns{})) {
  if (zone_.is_utc()) {
    span_ = zone_.SpanAround(0);
  }
}

ScanOutcome TimestampReader::Scan(std::string_view text, Micros& out) {
  Micros value = 0;
  if (ScanOfLastDate(text, value)) {
    out = value;
    return ScanOutcome::kOk;
  }
  bool has_zone = false;
  if (const ScanOutcome outcome = format_.Scan(text, value, has_zone);
      outcome != ScanOutcome::kOk) {
    return outcome;
  }
  if (!has_zone && !zone_.is_utc()) {
    value = ToUtc(value);
    if (value < kTimestampMin || value > kTimestampMax) {
      return ScanOutcome::kOutOfRange;
    }
  }
  RememberDate(text);
  out = value;
  return ScanOutcome::kOk;
}

Micros TimestampReader::ToUtc(Micros local) {
  if (local < span_.begin || local >= span_.end) {
    span_ = zone_.SpanAround(local);
    if (local < span_.begin || local >= span_.end) {
      return zone_.ToUtc(local);
    }
  }
  return local - span_.offset;
}

/// `text` has been read. Whatever is remembered is compared with a text's first characters, so that
/// it need not be in the usual columns: only its date must be where they have it.
void TimestampReader::RememberDate(std::string_view text) {
  if (!format_.columns() || text.size() < kSecondsEnd || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != ' ')) {
    return;
  }
  int32_t days = 0;
  if (ScanDate(text.substr(0, kDateBytes - 1), days) == ScanOutcome::kOk) {
    std::memcpy(last_date_, text.data(), kDateBytes);
    last_midnight_ = days * kMicrosPerDay;
  }
}

}  // namespace millrace
