#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "millrace/base/check.h"
#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/frame_codec_testing.h"
#include "millrace/stream/embedded/journal_format.h"
#include "millrace/stream/embedded/journal_record.h"

// Recovery of a directory whose journal is made of the input. First byte even: the rest is the file
// 1.jnl. Odd: the rest says which records, whose checksums and chain are right, the file holds:
//   u8 type, u8 entries length, entries, u8 frames; each frame: u8 stream, u8 partition, u8 offset,
//   u8 payload length, payload.
// Whatever it is, opening gives an error or a transport that works.

namespace millrace {
namespace {

constexpr uint64_t kIdentity = 0x11;

class RecordMaker {
 public:
  explicit RecordMaker(std::span<const std::byte> input) : reader_(input) {}

  Bytes File() {
    while (reader_.remaining() > 0 && Record()) {
    }
    return std::move(file_);
  }

 private:
  Status Record() {
    MR_ASSIGN(const auto type, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto entries_bytes, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto bytes, reader_.GetBytes(entries_bytes));
    const JournalEntries entries = JournalEntries::Decode(bytes).value_or(JournalEntries{});
    MR_ASSIGN(const auto frames_count, reader_.Get<uint8_t>());
    std::vector<Bytes> frames;
    for (int i = 0; i < frames_count % 8; ++i) {
      MR_ASSIGN(auto frame, Frame());
      frames.push_back(std::move(frame));
    }
    const std::vector<std::span<const std::byte>> pieces(frames.begin(), frames.end());
    JournalRecordHeader header{.type = static_cast<JournalRecordType>(1 + type % 3),
                               .identity = kIdentity,
                               .file = 1,
                               .sequence = sequence_,
                               .previous_checksum = previous_};
    const Bytes head = EncodeJournalRecord(header, entries, pieces);
    file_.insert(file_.end(), head.begin(), head.end());
    for (const Bytes& frame : frames) {
      file_.insert(file_.end(), frame.begin(), frame.end());
    }
    file_.resize(AlignRecord(file_.size()));
    if (header.type != JournalRecordType::kMark) {
      ++sequence_;
      previous_ = header.checksum;
    }
    return {};
  }

  Result<Bytes> Frame() {
    MR_ASSIGN(const auto stream, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto partition, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto offset, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto length, reader_.Get<uint8_t>());
    MR_ASSIGN(const auto payload, reader_.GetBytes(length));
    AppendedFrame frame{.stream = StreamId(stream % 4),
                        .partition = PartitionId(partition % 4),
                        .frame = {.type = FrameType::kState,
                                  .begin = Offset(offset),
                                  .count = 1,
                                  .payload = Buffer::Own(Bytes(payload.begin(), payload.end()))},
                        .encoded = {}};
    frame.encoded = EncodeFramePayload(frame.frame);
    SealFrame(frame, kIdentity, RoundId(sequence_));
    return BytesOf(frame.encoded);
  }

  ByteReader reader_;
  Bytes file_;
  uint64_t sequence_ = 1;
  uint64_t previous_ = 0;
};

void WriteFile(FileSystem& files, const std::string& path, std::span<const std::byte> content) {
  auto file = files.Open(path, OpenMode::kCreate);
  MR_CHECK(file && (*file)->WriteAt(0, content));
}

/// A transport that opened takes a commit and gives it back after the next opening.
void CheckWorks(SimulatedFileSystem& files, const Clock& clock,
                const EmbeddedTransport::Options& options,
                std::unique_ptr<EmbeddedTransport> transport) {
  for (const StreamInfo& stream : transport->Streams()) {
    auto cursor = transport->OpenCursor(stream.id, PartitionId(0),
                                        transport->Describe(stream.id, PartitionId(0)).begin,
                                        Visibility::kDurable);
    while (const auto frames = cursor->Poll(1 << 16)) {
      if (frames->empty()) {
        break;
      }
    }
  }
  auto epoch = transport->BeginEpoch();
  epoch->SetSourcePosition("fuzz", "split", "value");
  CommitOutcome outcome = CommitOutcome::kUnknown;
  epoch->CommitAsync([&](const CommitResult& result) { outcome = result.outcome; });
  transport->RunRound();
  transport->RunCopier();
  MR_CHECK(outcome == CommitOutcome::kCommitted);
  transport.reset();
  auto again = EmbeddedTransport::Open(files, clock, "/data", options);
  MR_CHECK(again.has_value(), "{}", again.error().ToString());
  MR_CHECK((*again)->ReadSourcePositions("fuzz").contains("split"));
}

void Recover(std::span<const std::byte> journal) {
  SimulatedFileSystem files(1);
  const ManualClock clock;
  MR_CHECK(files.CreateDirectories("/data/journal").has_value());
  WriteFile(files, "/data/IDENTITY",
            AsBytes("millrace data directory, format 1\nidentity 0000000000000011\n"));
  WriteFile(files, "/data/journal/000000000001.jnl", journal);
  EmbeddedTransport::Options options;
  options.manual = true;
  options.journal_file_bytes = 4096;
  auto opened = EmbeddedTransport::Open(files, clock, "/data", options);
  if (opened) {
    CheckWorks(files, clock, options, *std::move(opened));
  }
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kBytesMax = 1 << 16;
  const std::span input(reinterpret_cast<const std::byte*>(data), std::min(size, kBytesMax));
  if (input.empty()) {
    return 0;
  }
  const auto rest = input.subspan(1);
  const bool raw = static_cast<uint8_t>(input[0]) % 2 == 0;
  millrace::Recover(raw ? millrace::Bytes(rest.begin(), rest.end())
                        : millrace::RecordMaker(rest).File());
  return 0;
}
