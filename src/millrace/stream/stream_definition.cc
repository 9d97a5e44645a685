#include "millrace/stream/stream_definition.h"

#include <fmt/format.h>

namespace millrace {

bool SameDefinition(const StreamDefinition& a, const StreamDefinition& b) {
  const bool same_schema = (a.schema == nullptr) == (b.schema == nullptr) &&
                           (a.schema == nullptr || *a.schema == *b.schema);
  return same_schema && a.name == b.name && a.partitions == b.partitions &&
         a.properties == b.properties;
}

StreamDefinition Dropped(StreamDefinition definition) {
  definition.properties = {{"kind", "dropped"}};
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

namespace {

constexpr const char* kStorageProperty = "storage";
constexpr std::string_view kDirectStorage = "direct";

}  // namespace

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
