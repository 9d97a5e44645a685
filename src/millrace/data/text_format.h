#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/data/types.h"
#include "millrace/data/value.h"

namespace millrace {

// PostgreSQL's text forms of the SQL types. Scan functions are for hot paths: they allocate nothing
// and set `out` only on kOk. Parse functions do the same and explain failures as an Error. All
// accept hostile text and ignore ASCII white space around the value unless said otherwise.

/// What a scan found. kOutOfRange: well-formed, but beyond what the type holds (types.h).
enum class ScanOutcome : uint8_t { kOk, kInvalid, kOutOfRange };

// Times (text_format_time.cc)

/// Reads ISO 8601 / RFC 3339: date, 'T' or spaces, hours:minutes[:seconds[.fraction]], then 'Z',
/// +hh, +hhmm, +hh:mm, +hh:mm:ss, 'UTC' or nothing (UTC). A date alone is midnight. Fractions are
/// rounded to microseconds, half to even. 24:00:00 and second 60 carry over, as in PostgreSQL.
ScanOutcome ScanTimestamptz(std::string_view text, Micros& out);
/// kInvalidCast or kDatetimeOutOfRange.
Result<Micros> ParseTimestamptz(std::string_view text);
/// Appends RFC 3339 in UTC, with no fraction, 3 or 6 digits: 2024-05-01T12:00:00.250Z. A value
/// outside the limits of types.h is clamped to them.
void AppendTimestamptz(std::string& out, Micros value);
std::string FormatTimestamptz(Micros value);

/// As ScanTimestamptz for what a clock shows: a zone in the text means nothing, as in PostgreSQL.
ScanOutcome ScanTimestamp(std::string_view text, Micros& out);
Result<Micros> ParseTimestamp(std::string_view text);
/// As AppendTimestamptz, without the Z.
void AppendTimestamp(std::string& out, Micros value);

/// Reads YYYY-MM-DD; also accepts a timestamp and drops its time of day.
ScanOutcome ScanDate(std::string_view text, int32_t& out);
Result<int32_t> ParseDate(std::string_view text);
void AppendDate(std::string& out, int32_t days);
std::string FormatDate(int32_t days);

/// Days since 1970-01-01 of a valid proleptic Gregorian date.
int32_t DaysFromCivil(int32_t year, uint32_t month, uint32_t day);

/// Reads '1 day 2 hours', '-1 year 3 mons 04:05:06.7', '1.5 hours ago', '1-2' (years-months),
/// 'P1DT2H3M4.5S', 'P2W' and a bare number of seconds. Fractions flow down to the next unit.
ScanOutcome ScanInterval(std::string_view text, Interval& out);
Result<Interval> ParseInterval(std::string_view text);
/// Appends PostgreSQL's style "postgres": 1 year 2 mons 3 days 04:05:06.5.
void AppendInterval(std::string& out, const Interval& value);
std::string FormatInterval(const Interval& value);

// Numbers (text_format_number.cc)

/// Reads an optionally signed decimal integer in [minimum, maximum].
ScanOutcome ScanInteger(std::string_view text, int64_t minimum, int64_t maximum, int64_t& out);
/// `type` is one of the integer types. kInvalidCast or kNumericOutOfRange.
Result<int64_t> ParseInteger(std::string_view text, DataType type);

/// Reads decimal or scientific notation, NaN, Infinity. kOutOfRange on overflow and underflow to 0.
ScanOutcome ScanDouble(std::string_view text, double& out);
ScanOutcome ScanFloat(std::string_view text, float& out);
Result<double> ParseDouble(std::string_view text);
Result<float> ParseFloat(std::string_view text);

/// Appends the shortest text that reads back to the same value, as PostgreSQL 12 and later do.
void AppendDouble(std::string& out, double value);
void AppendFloat(std::string& out, float value);

/// Reads decimal or scientific notation into `value * 10^scale`, rounded half away from zero.
/// kOutOfRange when more than `precision` digits remain, and for NaN and Infinity.
ScanOutcome ScanNumeric(std::string_view text, uint8_t precision, uint8_t scale, Int128& out);
Result<Int128> ParseNumeric(std::string_view text, uint8_t precision, uint8_t scale);
/// Appends all `scale` (0..38) digits behind the point.
void AppendNumeric(std::string& out, Int128 value, uint8_t scale);
std::string FormatNumeric(Int128 value, uint8_t scale);

void AppendInteger(std::string& out, int64_t value);

/// 10^exponent; `exponent` in 0..38.
Int128 PowerOfTen(uint8_t exponent);

// Others (text_format.cc)

/// Reads PostgreSQL's spellings: true, yes, on, 1, their opposites and unique prefixes.
ScanOutcome ScanBoolean(std::string_view text, bool& out);
/// Reads 32 hexadecimal digits, hyphens after any group of four, braces around allowed.
ScanOutcome ScanUuid(std::string_view text, Uuid& out);
Result<Uuid> ParseUuid(std::string_view text);
void AppendUuid(std::string& out, const Uuid& value);
std::string FormatUuid(const Uuid& value);

/// Appends the bytes of '\x' followed by hexadecimal digits; white space is not ignored.
ScanOutcome ScanBytea(std::string_view text, std::string& out);
/// Appends the bytes of PostgreSQL's escape format: three octal digits behind a backslash, two
/// backslashes for one, all other bytes themselves. kInvalid leaves `out` as it was.
ScanOutcome ScanEscapedBytea(std::string_view text, std::string& out);
/// Appends \x and lower-case hexadecimal digits.
void AppendBytea(std::string& out, std::string_view bytes);

/// Returns whether `text` may be a value of type text: UTF-8 (RFC 3629) without NUL.
bool IsValidText(std::string_view text);

/// Appends an array as PostgreSQL does: {1,NULL,"two words"}.
void AppendArrayText(std::string& out, std::string_view array, const DataType& type);
/// Reads that form, of one dimension. `parse_element`: reads the text of an element; null = as
/// ParseValue does. kInvalidCast, or the code of an element's mistake.
Result<Value> ParseArray(
    std::string_view text, const DataType& type,
    const std::function<Result<Value>(std::string_view element)>& parse_element = nullptr);

/// Appends `value`, which fits `type`. NULL appends nothing.
void AppendValueText(std::string& out, const Value& value, const DataType& type);
/// Returns "NULL" for NULL.
std::string FormatValue(const Value& value, const DataType& type);
/// Reads a value as a cast from text does: white space around text is kept, jsonb becomes
/// canonical. kInvalidCast, kNumericOutOfRange, kDatetimeOutOfRange, or kRecordInvalidText for
/// text.
Result<Value> ParseValue(std::string_view text, const DataType& type);

}  // namespace millrace
