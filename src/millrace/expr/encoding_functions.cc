#include <optional>
#include <string>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kBytea = TypeId::kBytea;
constexpr size_t kFormatAt = 1;

enum class Encoding : uint8_t { kHex, kBase64, kEscape };

Result<Encoding> ParseEncoding(std::string_view name) {
  constexpr std::pair<std::string_view, Encoding> kNames[] = {
      {"hex", Encoding::kHex}, {"base64", Encoding::kBase64}, {"escape", Encoding::kEscape}};
  for (const auto& [each, encoding] : kNames) {
    if (EqualsIgnoreCase(name, each)) {
      return encoding;
    }
  }
  return Err(Error(ErrorCode::kInvalidCast, fmt::format("unrecognized encoding: \"{}\"", name))
                 .WithHint("hex, base64 or escape"));
}

/// Also convert_to and convert_from, where the name is a character set.
Status CheckCharacterSet(std::string_view name) {
  const bool known = EqualsIgnoreCase(name, "utf8") || EqualsIgnoreCase(name, "utf-8");
  return known ? Status()
               : Err(Error(ErrorCode::kInvalidCast,
                           fmt::format("character set not supported: \"{}\"", name))
                         .WithHint("UTF8"));
}

template <auto kParse>
Result<Prepared> PrepareName(std::span<const Value* const> literals) {
  if (literals[kFormatAt] != nullptr) {
    MR_TRY(kParse(literals[kFormatAt]->Get<std::string>()));
  }
  return nullptr;
}

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Lines of 76 characters, as MIME and PostgreSQL have them (RFC 2045).
void AppendBase64(std::string& out, std::string_view bytes) {
  constexpr size_t kLine = 76;
  size_t column = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    }
    const size_t digits = std::min<size_t>(bytes.size() - at, 3) + 1;
    for (size_t i = 0; i < 4; ++i) {
      out += i < digits ? kBase64Digits[group >> (18 - 6 * i) & 63] : '=';
    }
    column += 4;
    if (column == kLine) {
      out += '\n';
      column = 0;
    }
  }
}

/// Returns false for text that PostgreSQL's decoder refuses.
bool DecodeBase64(std::string& out, std::string_view text) {
  uint32_t group = 0;
  int digits = 0;
  int last_bytes = 0;  // Of the group that '=' has ended; 0 before.
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    }
    const size_t digit = kBase64Digits.find(c);
    if (c == '=' && last_bytes == 0) {
      if (digits < 2) {
        return false;
      }
      last_bytes = digits - 1;
    } else if (c != '=' && digit == std::string_view::npos) {
      return false;
    }
    group = group << 6 | (c == '=' ? 0 : static_cast<uint32_t>(digit));
    if (++digits == 4) {
      for (int i = 0; i < (last_bytes == 0 ? 3 : last_bytes); ++i) {
        out += static_cast<char>(group >> (16 - 8 * i) & 0xff);
      }
      group = 0;
      digits = 0;
    }
  }
  return digits == 0;
}

void AppendHex(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

bool DecodeHex(std::string& out, std::string_view text) {
  std::string digits = "\\x";
  for (size_t at = 0; at < text.size(); ++at) {
    if (IsSpace(text[at]) && digits.size() % 2 == 0) {
      continue;  // Between two bytes.
    }
    digits += text[at];
  }
  return ScanBytea(digits, out) == ScanOutcome::kOk;
}

void AppendEscaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0 || byte >= 0x80) {
      fmt::format_to(std::back_inserter(out), "\\{:03o}", byte);
    } else {
      out.append(c == '\\' ? 2 : 1, c);
    }
  }
}

/// Fails the row when its format is not known.
template <auto kParse>
bool NameFits(const KernelCall& call, size_t row) {
  const auto parsed = kParse(call.argument(kFormatAt).Text(row));
  if (!parsed) {
    call.Fail(row, parsed.error().code(), parsed.error().message());
  }
  return parsed.has_value();
}

Column EncodeKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    if (!NameFits<ParseEncoding>(call, row)) {
      return false;
    }
    const std::string_view bytes = call.argument(0).Text(row);
    switch (*ParseEncoding(call.argument(kFormatAt).Text(row))) {
      case Encoding::kHex:
        AppendHex(out, bytes);
        break;
      case Encoding::kBase64:
        AppendBase64(out, bytes);
        break;
      case Encoding::kEscape:
        AppendEscaped(out, bytes);
        break;
    }
    return true;
  });
}

Column DecodeKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    if (!NameFits<ParseEncoding>(call, row)) {
      return false;
    }
    const std::string_view text = call.argument(0).Text(row);
    const std::string_view format = call.argument(kFormatAt).Text(row);
    const Encoding encoding = *ParseEncoding(format);
    const bool fits = encoding == Encoding::kHex ? DecodeHex(out, text)
                      : encoding == Encoding::kBase64
                          ? DecodeBase64(out, text)
                          : ScanEscapedBytea(text, out) == ScanOutcome::kOk;
    if (!fits) {
      call.Fail(row, ErrorCode::kInvalidCast, fmt::format("invalid {} data", format));
    }
    return fits;
  });
}

/// The bytes of text; to text they must be UTF-8 without NUL.
template <bool kToText>
Column ConvertKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view bytes = call.argument(0).Text(row);
    if (!NameFits<CheckCharacterSet>(call, row)) {
      out.AppendNull();
    } else if (kToText && !IsValidText(bytes)) {
      call.Fail(row, ErrorCode::kRecordInvalidText,
                "text is not valid UTF-8 or holds a NUL character");
      out.AppendNull();
    } else {
      out.AppendText(bytes);
    }
  });
}

template <typename T>
Column ToHexKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.clear();
    const auto value = static_cast<std::make_unsigned_t<T>>(call.argument(0).At<T>(row));
    fmt::format_to(std::back_inserter(scratch), "{:x}", value);
    out.AppendText(scratch);
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, TypeId argument, TypeId result,
         Kernel kernel, ScalarFunction::Prepare prepare) {
  out.push_back({.name = name,
                 .arguments = {argument, kText},
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .prepare = prepare});
}

template <typename T>
void AddToHex(std::vector<ScalarFunction>& out, TypeId type) {
  out.push_back({.name = "to_hex",
                 .arguments = {type},
                 .result = DataType::Of(kText),
                 .kernel = ToHexKernel<T>,
                 .may_fail = false});
}

}  // namespace

void AddEncodingFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "encode", kBytea, kText, EncodeKernel, PrepareName<ParseEncoding>);
  Add(out, "decode", kText, kBytea, DecodeKernel, PrepareName<ParseEncoding>);
  Add(out, "convert_to", kText, kBytea, ConvertKernel<false>, PrepareName<CheckCharacterSet>);
  Add(out, "convert_from", kBytea, kText, ConvertKernel<true>, PrepareName<CheckCharacterSet>);
  AddToHex<int32_t>(out, TypeId::kInt32);
  AddToHex<int64_t>(out, TypeId::kInt64);
}

}  // namespace millrace::internal
