#include <cstddef>
#include <cstdint>
#include <string>

#include "millrace/base/check.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"

namespace millrace {

namespace {

SchemaPtr FuzzSchema() {
  return MakeSchema({{.name = "i", .type = DataType::Of(TypeId::kInt32)},
                     {.name = "t", .type = DataType::Of(TypeId::kText)},
                     {.name = "d", .type = DataType::Of(TypeId::kFloat64)},
                     {.name = "b", .type = DataType::Of(TypeId::kBoolean)},
                     {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)},
                     {.name = "n", .type = DataType::Numeric(12, 2)},
                     {.name = "j", .type = DataType::Of(TypeId::kJsonb)},
                     {.name = "day", .type = DataType::Of(TypeId::kDate)},
                     {.name = "u", .type = DataType::Of(TypeId::kUuid)},
                     {.name = "v", .type = DataType::Of(TypeId::kInterval)},
                     {.name = "y", .type = DataType::Of(TypeId::kBytea)},
                     {.name = "_rest", .type = DataType::Of(TypeId::kJsonb)}});
}

std::string Rows(const Batch& batch) {
  const RowJsonWriter writer(batch.schema());
  std::string out;
  for (size_t row = 0; row < batch.rows(); ++row) {
    writer.Append(batch, row, out);
    out += '\n';
  }
  return out;
}

}  // namespace

/// The first byte chooses options. What is accepted must decode to the same rows when it is decoded
/// by a decoder that has learned from it, and when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  JsonDecoderOptions options{
      .framing = (data[0] & 1) != 0 ? JsonFraming::kDocument : JsonFraming::kLines,
      .undeclared = (data[0] & 2) != 0 ? UndeclaredFields::kKeep : UndeclaredFields::kIgnore};
  if ((data[0] & 4) != 0) {
    options.timestamp_format = *TimestampFormat::Parse("epoch_millis");
  } else if ((data[0] & 8) != 0) {
    options.timestamp_format = *TimestampFormat::Parse("yyyy-MM-dd HH:mm:ss[.f]");
  }
  if ((data[0] & 16) != 0 && options.undeclared != UndeclaredFields::kKeep) {
    options.paths = {{"i", {{"o", "i"}}}, {"t", {{"o", "p", "t"}}}, {"at", {{"at"}, {"o", "at"}}}};
  }
  const SchemaPtr schema = FuzzSchema();
  const BufferPtr body = PaddedBuffer({reinterpret_cast<const char*>(data) + 1, size - 1});
  JsonDecoder decoder(schema, options);
  DecodedRecords first;
  DecodedRecords second;
  decoder.Decode(body, first);
  decoder.Decode(body, second);
  const std::string rows = Rows(*first.batch);
  MR_CHECK(rows == Rows(*second.batch) && first.errors.size() == second.errors.size());
  MR_CHECK(first.records == first.batch->rows() + first.errors.size());

  DecodedRecords again;
  JsonDecoder(schema, {}).Decode(PaddedBuffer(rows), again);
  MR_CHECK(again.errors.empty() && Rows(*again.batch) == rows);
  return 0;
}

}  // namespace millrace
