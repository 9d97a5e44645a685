#include "millrace/stream/embedded/catalog.h"

#include <fmt/format.h>

#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

constexpr uint8_t kDefinitionVersion = 1;

}  // namespace

StreamInfo CatalogStreamInfo() {
  return {.id = kCatalogStream,
          .definition = {.name = "catalog$", .partitions = 1, .schema = nullptr, .properties = {}}};
}

Bytes EncodeStreamInfo(const StreamInfo& info) {
  Bytes bytes;
  ByteWriter writer(bytes);
  const StreamDefinition& definition = info.definition;
  writer.Put(kDefinitionVersion);
  writer.Put(info.id.value());
  writer.PutString(definition.name);
  writer.Put(definition.partitions);
  writer.Put(definition.schema != nullptr);
  if (definition.schema != nullptr) {
    writer.Put(static_cast<uint32_t>(definition.schema->size()));
    for (const Field& field : definition.schema->fields()) {
      writer.PutString(field.name);
      writer.Put(field.type.stored_id());
      writer.Put(field.type.precision);
      writer.Put(field.type.scale);
      writer.Put(field.nullable);
    }
  }
  writer.Put(static_cast<uint32_t>(definition.properties.size()));
  for (const auto& [key, value] : definition.properties) {
    writer.PutString(key);
    writer.PutString(value);
  }
  return bytes;
}

namespace {

Result<Field> DecodeField(ByteReader& reader) {
  MR_ASSIGN(const auto name, reader.GetString());
  MR_ASSIGN(const auto type, reader.Get<uint8_t>());
  MR_ASSIGN(const auto precision, reader.Get<uint8_t>());
  MR_ASSIGN(const auto scale, reader.Get<uint8_t>());
  MR_ASSIGN(const auto nullable, reader.Get<uint8_t>());
  const DataType data_type = DataType::FromStored(type, precision, scale);
  if (!data_type.is_known()) {
    return Err(ErrorCode::kCorruption, fmt::format("column {} has type number {}", name, type));
  }
  return Field{.name = std::string(name), .type = data_type, .nullable = nullable != 0};
}

}  // namespace

Result<StreamInfo> DecodeStreamInfo(std::span<const std::byte> payload) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kDefinitionVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("stream definition of version {}", version));
  }
  StreamInfo info;
  MR_ASSIGN(const auto id, reader.Get<uint32_t>());
  info.id = StreamId(id);
  MR_ASSIGN(const auto name, reader.GetString());
  info.definition.name = name;
  MR_ASSIGN(info.definition.partitions, reader.Get<uint32_t>());
  if (auto possible = CheckDefinition(info.definition); !possible) {
    return Err(ErrorCode::kCorruption, possible.error().message());
  }
  MR_ASSIGN(const auto has_schema, reader.Get<uint8_t>());
  if (has_schema != 0) {
    MR_ASSIGN(const auto count, reader.Get<uint32_t>());
    std::vector<Field> fields;
    for (uint32_t i = 0; i < count; ++i) {
      MR_ASSIGN(auto field, DecodeField(reader));
      fields.push_back(std::move(field));
    }
    info.definition.schema = MakeSchema(std::move(fields));
  }
  MR_ASSIGN(const auto properties, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < properties; ++i) {
    MR_ASSIGN(const auto key, reader.GetString());
    MR_ASSIGN(const auto value, reader.GetString());
    info.definition.properties.emplace(key, value);
  }
  if (reader.remaining() > 0) {
    return Err(ErrorCode::kCorruption, fmt::format("definition of stream {} is too long", name));
  }
  return info;
}

}  // namespace millrace
