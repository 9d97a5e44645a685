#include "millrace/connect/file/split_position.h"

#include "millrace/base/bytes.h"
#include "millrace/base/checksum.h"

namespace millrace {

namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

ContentMark ContentMark::Of(std::string_view content) {
  if (content.empty()) {
    return {};
  }
  return {.bytes = static_cast<uint32_t>(content.size()), .hash = Xxh3(content)};
}

std::string SplitPosition::Encode() const {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(kVersion);
  writer.Put(static_cast<uint8_t>(finished));
  writer.Put(partition);
  writer.Put(device);
  writer.Put(inode);
  writer.Put(offset);
  writer.Put(max_event_time);
  for (const ContentMark& mark : {head, tail}) {
    writer.Put(mark.bytes);
    writer.Put(mark.hash);
  }
  writer.PutString(path);
  return std::string(AsText(bytes));
}

Result<SplitPosition> SplitPosition::Decode(std::string_view stored) {
  ByteReader reader(AsBytes(stored));
  SplitPosition position;
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("file position of version {}", version));
  }
  MR_ASSIGN(const auto finished, reader.Get<uint8_t>());
  position.finished = finished != 0;
  MR_ASSIGN(position.partition, reader.Get<uint32_t>());
  MR_ASSIGN(position.device, reader.Get<uint64_t>());
  MR_ASSIGN(position.inode, reader.Get<uint64_t>());
  MR_ASSIGN(position.offset, reader.Get<uint64_t>());
  MR_ASSIGN(position.max_event_time, reader.Get<Micros>());
  for (ContentMark* mark : {&position.head, &position.tail}) {
    MR_ASSIGN(mark->bytes, reader.Get<uint32_t>());
    MR_ASSIGN(mark->hash, reader.Get<uint64_t>());
  }
  MR_ASSIGN(position.path, reader.GetString());
  return position;
}

}  // namespace millrace
