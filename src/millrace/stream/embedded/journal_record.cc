#include "millrace/stream/embedded/journal_record.h"

#include "millrace/base/checksum.h"
#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/journal_format.h"

namespace millrace {

namespace {

using journal_format::EntryKind;
using journal_format::kAlignment;
using journal_format::kCheckedFrom;
using journal_format::kChecksumAt;
using journal_format::kHeaderBytes;
using journal_format::kMagic;
using journal_format::kVersion;

void PutKind(ByteWriter& writer, EntryKind kind) { writer.Put(static_cast<uint8_t>(kind)); }

Status DecodeEntry(EntryKind kind, ByteReader& reader, JournalEntries& out) {
  switch (kind) {
    case EntryKind::kSegmentRange: {
      MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
      MR_ASSIGN(const auto segment, reader.Get<uint64_t>());
      MR_ASSIGN(const auto position, reader.Get<uint64_t>());
      MR_ASSIGN(const auto length, reader.Get<uint64_t>());
      out.ranges.push_back({StreamId(stream), segment, position, length});
      return {};
    }
    case EntryKind::kCopiedJournal: {
      MR_ASSIGN(const auto journal, reader.Get<uint64_t>());
      out.copied_journals.push_back(journal);
      return {};
    }
    case EntryKind::kPosition: {
      MR_ASSIGN(const auto name, reader.GetString());
      MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
      MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
      MR_ASSIGN(const auto next, reader.Get<int64_t>());
      out.positions.push_back(
          {std::string(name), StreamId(stream), PartitionId(partition), Offset(next)});
      return {};
    }
    case EntryKind::kSourcePosition: {
      MR_ASSIGN(const auto source, reader.GetString());
      MR_ASSIGN(const auto split, reader.GetString());
      MR_ASSIGN(const auto value, reader.GetString());
      out.source_positions.push_back({std::string(source), std::string(split), std::string(value)});
      return {};
    }
    case EntryKind::kTrim: {
      MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
      MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
      MR_ASSIGN(const auto begin, reader.Get<int64_t>());
      out.trims.push_back({StreamId(stream), PartitionId(partition), Offset(begin)});
      return {};
    }
    case EntryKind::kPartition: {
      MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
      MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
      MR_ASSIGN(const auto begin, reader.Get<int64_t>());
      MR_ASSIGN(const auto end, reader.Get<int64_t>());
      MR_ASSIGN(const auto max_event_time, reader.Get<Micros>());
      out.partitions.push_back({.at = {StreamId(stream), PartitionId(partition)},
                                .begin = Offset(begin),
                                .end = Offset(end),
                                .max_event_time = max_event_time});
      return {};
    }
    case EntryKind::kSegmentRemoved: {
      MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
      MR_ASSIGN(const auto segment, reader.Get<uint64_t>());
      out.removals.push_back({StreamId(stream), segment});
      return {};
    }
    case EntryKind::kNextFile: {
      MR_ASSIGN(out.next_file, reader.Get<uint64_t>());
      return {};
    }
  }
  return Err(ErrorCode::kCorruption,
             fmt::format("journal entry of kind {}", static_cast<int>(kind)));
}

uint64_t HashOfHeader(std::span<const std::byte> header, uint64_t body_hash) {
  return Xxh3(header.subspan(kCheckedFrom, kHeaderBytes - kCheckedFrom),
              Xxh3(header.first(kChecksumAt), body_hash));
}

}  // namespace

size_t JournalRecordHeader::total_bytes() const { return kHeaderBytes + body_bytes; }

void JournalEntries::Encode(Bytes& out) const {
  ByteWriter writer(out);
  for (const SegmentRange& range : ranges) {
    PutKind(writer, EntryKind::kSegmentRange);
    writer.Put(range.stream.value());
    writer.Put(range.segment);
    writer.Put(range.position);
    writer.Put(range.length);
  }
  for (const uint64_t journal : copied_journals) {
    PutKind(writer, EntryKind::kCopiedJournal);
    writer.Put(journal);
  }
  for (const PositionUpdate& position : positions) {
    PutKind(writer, EntryKind::kPosition);
    writer.PutString(position.reader);
    writer.Put(position.stream.value());
    writer.Put(position.partition.value());
    writer.Put(position.next.value());
  }
  for (const SourcePositionUpdate& position : source_positions) {
    PutKind(writer, EntryKind::kSourcePosition);
    writer.PutString(position.source);
    writer.PutString(position.split);
    writer.PutString(position.value);
  }
  for (const TrimUpdate& trim : trims) {
    PutKind(writer, EntryKind::kTrim);
    writer.Put(trim.stream.value());
    writer.Put(trim.partition.value());
    writer.Put(trim.begin.value());
  }
  for (const auto& partition : partitions) {
    PutKind(writer, EntryKind::kPartition);
    writer.Put(partition.at.first.value());
    writer.Put(partition.at.second.value());
    writer.Put(partition.begin.value());
    writer.Put(partition.end.value());
    writer.Put(partition.max_event_time);
  }
  for (const SegmentRemoval& removal : removals) {
    PutKind(writer, EntryKind::kSegmentRemoved);
    writer.Put(removal.stream.value());
    writer.Put(removal.segment);
  }
  if (next_file != 0) {
    PutKind(writer, EntryKind::kNextFile);
    writer.Put(next_file);
  }
}

Result<JournalEntries> JournalEntries::Decode(std::span<const std::byte> bytes) {
  JournalEntries entries;
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    MR_ASSIGN(const auto kind, reader.Get<uint8_t>());
    MR_TRY(DecodeEntry(static_cast<EntryKind>(kind), reader, entries));
  }
  return entries;
}

Bytes EncodeJournalRecord(JournalRecordHeader& header, const JournalEntries& entries,
                          std::span<const std::span<const std::byte>> frames) {
  Bytes bytes(kHeaderBytes);
  entries.Encode(bytes);
  header.entries_bytes = static_cast<uint32_t>(bytes.size() - kHeaderBytes);
  std::vector<std::span<const std::byte>> body{std::span(bytes).subspan(kHeaderBytes)};
  body.insert(body.end(), frames.begin(), frames.end());
  size_t body_bytes = 0;
  for (const auto piece : body) {
    body_bytes += piece.size();
  }
  MR_CHECK(body_bytes <= UINT32_MAX, "journal record of {} bytes", body_bytes);
  header.body_bytes = static_cast<uint32_t>(body_bytes);

  Bytes head;
  ByteWriter writer(head);
  writer.Put(kMagic);
  writer.Put(kVersion);
  writer.Put(static_cast<uint8_t>(header.type));
  writer.Put(uint16_t{0});
  writer.Put(uint64_t{0});
  writer.Put(header.identity);
  writer.Put(header.incarnation);
  writer.Put(header.file);
  writer.Put(header.sequence);
  writer.Put(header.previous_checksum);
  writer.Put(header.body_bytes);
  writer.Put(header.entries_bytes);
  header.checksum = HashOfHeader(head, Xxh3(body));
  writer.Patch(kChecksumAt, header.checksum);
  std::memcpy(bytes.data(), head.data(), kHeaderBytes);
  return bytes;
}

std::optional<JournalRecordHeader> ReadJournalRecord(std::span<const std::byte> bytes,
                                                     uint64_t identity, uint64_t file) {
  if (bytes.size() < kHeaderBytes) {
    return std::nullopt;
  }
  const auto load = [&]<typename T>(size_t at, T value) {
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return value;
  };
  const auto type = load(5, uint8_t{});
  JournalRecordHeader header{.type = static_cast<JournalRecordType>(type),
                             .identity = load(16, uint64_t{}),
                             .incarnation = load(24, uint64_t{}),
                             .file = load(32, uint64_t{}),
                             .sequence = load(40, uint64_t{}),
                             .previous_checksum = load(48, uint64_t{}),
                             .checksum = load(kChecksumAt, uint64_t{}),
                             .body_bytes = load(56, uint32_t{}),
                             .entries_bytes = load(60, uint32_t{})};
  const bool plausible =
      load(0, uint32_t{}) == kMagic && load(4, uint8_t{}) == kVersion &&
      type >= static_cast<uint8_t>(JournalRecordType::kFull) &&
      type <= static_cast<uint8_t>(JournalRecordType::kMark) && header.identity == identity &&
      (header.file == file || MR_PLANTED(AcceptStaleTail)) &&
      header.entries_bytes <= header.body_bytes && header.total_bytes() <= bytes.size();
  if (!plausible || header.checksum !=
                        HashOfHeader(bytes, Xxh3(bytes.subspan(kHeaderBytes, header.body_bytes)))) {
    return std::nullopt;
  }
  return header;
}

std::span<const std::byte> EntriesOf(std::span<const std::byte> record,
                                     const JournalRecordHeader& header) {
  return record.subspan(kHeaderBytes, header.entries_bytes);
}

std::span<const std::byte> FramesOf(std::span<const std::byte> record,
                                    const JournalRecordHeader& header) {
  return record.subspan(kHeaderBytes + header.entries_bytes,
                        header.body_bytes - header.entries_bytes);
}

uint64_t AlignRecord(uint64_t position) {
  return (position + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace millrace
