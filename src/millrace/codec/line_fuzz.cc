#include <cstddef>
#include <cstdint>
#include <string_view>

#include "millrace/base/bytes.h"
#include "millrace/base/check.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/line_decoder.h"

namespace millrace {

namespace {

/// Every type, behind separators, and a tail that may be missing.
constexpr const char* kPattern =
    R"((?<at>[^|]*)\|(?<i>[^|]*)\|(?<d>[^|]*)\|(?<n>[^|]*)\|(?<b>[^|]*)\|(?<day>[^|]*)\|)"
    R"((?<u>[^|]*)\|(?<v>[^|]*)\|(?<y>[^|]*)\|(?<j>[^|]*)(?:\|(?<t>.*))?)";

std::unique_ptr<LineDecoder> Decoder(bool local) {
  const SchemaPtr schema = MakeSchema({{.name = "at", .type = DataType::Of(TypeId::kTimestamptz)},
                                       {.name = "i", .type = DataType::Of(TypeId::kInt32)},
                                       {.name = "d", .type = DataType::Of(TypeId::kFloat64)},
                                       {.name = "n", .type = DataType::Numeric(12, 2)},
                                       {.name = "b", .type = DataType::Of(TypeId::kBoolean)},
                                       {.name = "day", .type = DataType::Of(TypeId::kDate)},
                                       {.name = "u", .type = DataType::Of(TypeId::kUuid)},
                                       {.name = "v", .type = DataType::Of(TypeId::kInterval)},
                                       {.name = "y", .type = DataType::Of(TypeId::kBytea)},
                                       {.name = "j", .type = DataType::Of(TypeId::kJsonb)},
                                       {.name = "t", .type = DataType::Of(TypeId::kText)}});
  auto zone = LocalTime::Find(local ? "America/New_York" : "UTC");
  MR_CHECK(zone.has_value());
  auto decoder = LineDecoder::Create(
      schema, {.pattern = kPattern, .time_zone = *zone, .record_bytes_max = 4096});
  MR_CHECK(decoder.has_value());
  return *std::move(decoder);
}

}  // namespace

/// The first byte chooses the time zone. Each line that is not empty is a row or an error, errors
/// keep their bytes, and a second decoding says the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  static const std::unique_ptr<LineDecoder> kDecoders[] = {Decoder(false), Decoder(true)};
  LineDecoder& decoder = *kDecoders[data[0] & 1];
  const std::string_view lines(reinterpret_cast<const char*>(data) + 1, size - 1);
  const BufferPtr body = PaddedBuffer(lines);
  size_t expected = 0;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string_view line = lines.substr(begin, end - begin);
    expected += line.empty() || line == "\r" ? 0 : 1;
    begin = end + 1;
  }
  DecodedRecords first;
  DecodedRecords second;
  decoder.Decode(body, first);
  decoder.Decode(body, second);
  MR_CHECK(first.records == expected, "{} {}", first.records, expected);
  MR_CHECK(first.batch->rows() + first.errors.size() == expected);
  MR_CHECK(second.batch->rows() == first.batch->rows());
  const std::string_view text = AsText(body->bytes());
  for (const RecordError& error : first.errors) {
    MR_CHECK(error.original.data() >= text.data() &&
             error.original.data() + error.original.size() <= text.data() + text.size());
  }
  return 0;
}

}  // namespace millrace
