#include "millrace/connect/file/file_source_testing.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

#include "millrace/base/bytes.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

constexpr Micros kStart = 1'767'225'600'000'000;  // 2026-01-01
constexpr Micros kMinute = 60 * kMicrosPerSecond;

std::string Minute(Micros time) {
  if (time == kMicrosMin) {
    return "-";
  }
  const Micros minutes = (time - kStart) / kMinute;
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

std::string Describe(const StreamFrame& frame) {
  if (frame.type == FrameType::kData) {
    return fmt::format("{} rows <={}", frame.count, Minute(frame.times.max));
  }
  const auto control = ControlFrame::Decode(frame.payload->bytes());
  EXPECT_TRUE(control);
  switch (control->kind) {
    case ControlFrame::Kind::kIdle:
      return "idle";
    case ControlFrame::Kind::kActive:
      return "active";
    case ControlFrame::Kind::kWatermark:
      return "watermark " + Minute(frame.times.max);
    case ControlFrame::Kind::kEnd:
      return "end";
  }
  return "?";
}

}  // namespace

FileSourceTest::FileSourceTest() {
  table_.name = "t";
  table_.schema = MakeSchema({{.name = "at", .type = DataType::Of(TypeId::kTimestamptz)},
                              {.name = "k", .type = DataType::Of(TypeId::kText), .nullable = false},
                              {.name = "n", .type = DataType::Of(TypeId::kInt64)}});
  table_.event_time = 0;
  table_.partitions = 1;
  options_.path = "/in/*";
  options_.poll_interval = std::chrono::seconds(1);
  ingest_options_.idle_timeout = kIdleTimeout;
  ingest_options_.idle_by_timeout = false;
  clock_.SetWall(kStart + 365 * kMicrosPerDay);
  EXPECT_TRUE(files_.CreateDirectories("/in"));
}

void FileSourceTest::Append(const std::string& path, std::string_view text) {
  if (!files_.Info(path)) {
    ASSERT_TRUE(files_.Open(path, OpenMode::kCreate));
  }
  const auto file = files_.Open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->WriteAt(*(*file)->Size(), AsBytes(text)));
}

void FileSourceTest::Replace(const std::string& path, std::string_view text) {
  if (files_.Info(path)) {
    Remove(path);
  }
  Append(path, text);
}

void FileSourceTest::Truncate(const std::string& path) {
  const auto file = files_.Open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Truncate(0));
}

std::string FileSourceTest::Content(const std::string& path) {
  auto content = ReadWholeFile(files_, path, uint64_t{1} << 30);
  EXPECT_TRUE(content);
  return content.value_or("");
}

std::string FileSourceTest::Gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  constexpr int kMemory = 8;
  EXPECT_EQ(
      deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string FileSourceTest::Line(int minute, std::string_view key, int64_t n) {
  return fmt::format(R"({{"at":"{}","k":"{}","n":{}}})"
                     "\n",
                     FormatTimestamptz(kStart + minute * kMinute), key, n);
}

Result<std::unique_ptr<FileSource>> FileSourceTest::Open() {
  source_.reset();
  auto ingestor = StreamIngestor::Open(table_, SourceSide(), clock_, ingest_options_);
  EXPECT_TRUE(ingestor) << ingestor.error().ToString();
  ingestor_ = *std::move(ingestor);
  return FileSource::Open(options_,
                          {.ingestor = *ingestor_,
                           .transport = SourceSide(),
                           .files = files_,
                           .clock = clock_,
                           .project_dir = "",
                           .wake = [] {}},
                          limits_);
}

void FileSourceTest::Start() {
  auto source = Open();
  ASSERT_TRUE(source) << source.error().ToString();
  source_ = *std::move(source);
}

Error FileSourceTest::StartError() {
  const auto source = Open();
  EXPECT_FALSE(source);
  return source ? Error(ErrorCode::kInternal, "it has started") : source.error();
}

void FileSourceTest::Crash() {
  source_.reset();
  ingestor_.reset();
  transport_->Restart();
}

std::chrono::nanoseconds FileSourceTest::Run() {
  constexpr int kStepsMax = 100'000;
  for (int i = 0; i < kStepsMax; ++i) {
    const auto next = source_->Step();
    EXPECT_TRUE(next) << next.error().ToString();
    if (!next || next->count() > 0) {
      return next.value_or(Source::kUntilWoken);
    }
  }
  ADD_FAILURE() << "the source does not come to rest";
  return Source::kUntilWoken;
}

void FileSourceTest::Wait(std::chrono::nanoseconds time) {
  const auto end = clock_.Monotonic() + time;
  while (clock_.Monotonic() < end) {
    clock_.Advance(options_.poll_interval);
    Run();
  }
}

std::vector<StreamFrame> FileSourceTest::Read(const std::string& stream, uint32_t partition) {
  const auto info = transport_->FindStream(stream);
  EXPECT_TRUE(info);
  const auto cursor =
      transport_->OpenCursor(info->id, PartitionId(partition), Offset(0), Visibility::kDurable);
  auto frames = cursor->Poll(SIZE_MAX);
  EXPECT_TRUE(frames);
  return frames.value_or(std::vector<StreamFrame>());
}

std::vector<std::string> FileSourceTest::Keys(uint32_t partition) {
  std::vector<std::string> keys;
  for (const StreamFrame& frame : Read("t", partition)) {
    for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
      keys.emplace_back(frame.batch->column(1).Text(row));
    }
  }
  return keys;
}

std::vector<std::string> FileSourceTest::Keys() {
  std::vector<std::string> all;
  for (uint32_t p = 0; p < table_.partitions; ++p) {
    const auto keys = Keys(p);
    all.insert(all.end(), keys.begin(), keys.end());
  }
  std::ranges::sort(all);
  return all;
}

std::vector<std::string> FileSourceTest::Errors() {
  std::vector<std::string> errors;
  for (const StreamFrame& frame : Read("errors$t", 0)) {
    for (size_t row = 0; row < frame.batch->rows(); ++row) {
      errors.push_back(fmt::format("{} {}", frame.batch->column(1).Values<int32_t>()[row],
                                   frame.batch->column(7).Text(row)));
    }
  }
  return errors;
}

std::vector<std::string> FileSourceTest::ErrorMessages() {
  std::vector<std::string> messages;
  for (const StreamFrame& frame : Read("errors$t", 0)) {
    for (size_t row = 0; row < frame.batch->rows(); ++row) {
      messages.emplace_back(frame.batch->column(2).Text(row));
    }
  }
  return messages;
}

std::vector<std::string> FileSourceTest::Frames(uint32_t partition) {
  std::vector<std::string> frames;
  for (const StreamFrame& frame : Read("t", partition)) {
    frames.push_back(Describe(frame));
  }
  return frames;
}

}  // namespace millrace
