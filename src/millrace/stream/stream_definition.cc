#include "millrace/stream/stream_definition.h"

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr const char* kStorageProperty = "storage";
constexpr std::string_view kDirectStorage = "direct";
/// Then the column's name; the value is its last type.
constexpr std::string_view kGonePrefix = "gone.";
constexpr const char* kFirstNameProperty = "first_name";

std::string GoneProperty(std::string_view column) {
  return fmt::format("{}{}", kGonePrefix, column);
}

}  // namespace

bool SameDefinition(const StreamDefinition& a, const StreamDefinition& b) {
  const bool same_schema = (a.schema == nullptr) == (b.schema == nullptr) &&
                           (a.schema == nullptr || *a.schema == *b.schema);
  return same_schema && a.name == b.name && a.partitions == b.partitions &&
         OwnProperties(a) == OwnProperties(b);
}

void NoteGoneColumns(const StreamDefinition& stored, StreamDefinition& changed) {
  for (const auto& [name, value] : stored.properties) {
    if (name.starts_with(kGonePrefix)) {
      changed.properties[name] = value;
    }
  }
  for (const Field& field : stored.schema->fields()) {
    if (!changed.schema->Find(field.name)) {
      changed.properties[GoneProperty(field.name)] = field.type.ToString();
    }
  }
}

bool IsGoneColumn(const StreamDefinition& definition, std::string_view column) {
  return definition.properties.contains(GoneProperty(column));
}

std::map<std::string, std::string> OwnProperties(const StreamDefinition& definition) {
  auto properties = definition.properties;
  std::erase_if(properties, [](const auto& property) {
    return property.first.starts_with(kGonePrefix) || property.first == kFirstNameProperty;
  });
  return properties;
}

StreamDefinition Renamed(StreamDefinition definition, std::string name) {
  definition.properties.emplace(kFirstNameProperty, definition.name);
  definition.name = std::move(name);
  return definition;
}

std::string_view FirstName(const StreamDefinition& definition) {
  const auto first = definition.properties.find(kFirstNameProperty);
  return first == definition.properties.end() ? std::string_view(definition.name) : first->second;
}

StreamDefinition Dropped(StreamDefinition definition) {
  const std::string first_name(FirstName(definition));
  definition.properties = {{"kind", "dropped"}, {kFirstNameProperty, first_name}};
  return definition;
}

bool IsDropped(const StreamDefinition& definition) {
  const auto kind = definition.properties.find("kind");
  return kind != definition.properties.end() && kind->second == "dropped";
}

std::vector<StreamInfo> WithoutDropped(std::vector<StreamInfo> streams) {
  std::erase_if(streams, [](const StreamInfo& stream) { return IsDropped(stream.definition); });
  return streams;
}

void SetDirect(StreamDefinition& definition) {
  definition.properties[kStorageProperty] = kDirectStorage;
}

bool IsDirect(const StreamDefinition& definition) {
  const auto storage = definition.properties.find(kStorageProperty);
  return storage != definition.properties.end() && storage->second == kDirectStorage;
}

Status CheckDefinition(const StreamDefinition& definition) {
  if (definition.name.empty()) {
    return Err(ErrorCode::kConfigInvalidValue, "a stream needs a name");
  }
  if (definition.partitions < 1 || definition.partitions > kPartitionsMax) {
    return Err(ErrorCode::kConfigInvalidValue,
               fmt::format("stream {}: {} partitions; from 1 to {} are possible", definition.name,
                           definition.partitions, kPartitionsMax));
  }
  return {};
}

}  // namespace millrace
