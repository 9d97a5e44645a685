#include "millrace/app/project_history.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/logger.h"
#include "millrace/base/bytes.h"

namespace millrace {

namespace {

constexpr uint8_t kVersion = 1;
constexpr int64_t kKeptMax = 32;
/// A project with more SQL is not kept.
constexpr size_t kBytesMax = 64 << 20;

StreamDefinition HistoryStream() {
  return {
      .name = "project$", .partitions = 1, .schema = nullptr, .properties = {{"kind", "project"}}};
}

Bytes Encode(const ProjectText& text) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(kVersion);
  writer.Put(text.default_grace);
  writer.Put(text.default_window_size.has_value());
  writer.Put(text.default_window_size.value_or(0));
  writer.Put(static_cast<uint32_t>(text.files.size()));
  for (const SqlFile& file : text.files) {
    writer.PutString(file.path);
    writer.PutString(file.text);
  }
  return bytes;
}

Result<ProjectText> Decode(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kVersion) {
    return Err(ErrorCode::kFormatTooNew,
               fmt::format("project$ has a project of version {}", version));
  }
  ProjectText text;
  MR_ASSIGN(text.default_grace, reader.Get<Micros>());
  MR_ASSIGN(const auto has_window, reader.Get<uint8_t>());
  MR_ASSIGN(const auto window, reader.Get<Micros>());
  if (has_window != 0) {
    text.default_window_size = window;
  }
  MR_ASSIGN(const auto count, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    MR_ASSIGN(const auto path, reader.GetString());
    MR_ASSIGN(const auto sql, reader.GetString());
    text.files.push_back({.path = std::string(path), .text = std::string(sql)});
  }
  return text;
}

/// What is kept, oldest first.
Result<std::vector<StreamFrame>> ReadAll(const StreamInfo& stream, Transport& transport) {
  const Offset begin = transport.Describe(stream.id, PartitionId(0)).begin;
  const auto cursor = transport.OpenCursor(stream.id, PartitionId(0), begin, Visibility::kDurable);
  std::vector<StreamFrame> all;
  while (true) {
    MR_ASSIGN(auto frames, cursor->Poll(kBytesMax));
    if (frames.empty()) {
      return all;
    }
    std::ranges::move(frames, std::back_inserter(all));
  }
}

}  // namespace

Status KeepProject(const Project& project, Transport& transport) {
  Bytes bytes = Encode(project.text);
  if (project.text.files.empty() || bytes.size() > kBytesMax) {
    return {};
  }
  MR_ASSIGN(const StreamId id, transport.CreateStream(HistoryStream()));
  MR_ASSIGN(const auto kept, ReadAll({.id = id, .definition = HistoryStream()}, transport));
  if (!kept.empty() && std::ranges::equal(kept.back().payload->bytes(), bytes)) {
    return {};
  }
  const auto epoch = transport.BeginEpoch();
  epoch->AppendOpaque(id, PartitionId(0), FrameType::kState, std::move(bytes));
  const PartitionInfo info = transport.Describe(id, PartitionId(0));
  if (info.durable_end - info.begin >= kKeptMax) {
    epoch->Trim(id, PartitionId(0), Offset(info.durable_end.value() + 1 - kKeptMax));
  }
  epoch->CommitAsync({});
  return {};
}

Result<FormerProjects> CompileFormerProjects(Transport& transport) {
  FormerProjects former;
  const auto stream = transport.FindStream(HistoryStream().name);
  if (!stream) {
    return former;
  }
  MR_ASSIGN(const auto kept, ReadAll(*stream, transport));
  for (auto frame = kept.rbegin(); frame != kept.rend(); ++frame) {
    MR_ASSIGN(const ProjectText text, Decode(frame->payload->bytes()));
    CompileOptions options{.default_grace = text.default_grace,
                           .default_window_size = text.default_window_size};
    auto definition = CompileProject(text.files, options, nullptr);
    if (definition) {
      former.push_back(std::make_shared<const ProjectDefinition>(*std::move(definition)));
    } else {
      MR_LOG_ERROR(kAppLog, kDebug, "a former project does not compile any more",
                   definition.error());
    }
  }
  return former;
}

}  // namespace millrace
