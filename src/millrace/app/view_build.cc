#include "millrace/app/view_build.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "millrace/engine/pipeline_streams.h"

namespace millrace {

namespace {

std::string SplitOf(const std::pair<StreamId, PartitionId>& at) {
  return fmt::format("{}.{}", at.first, at.second);
}

/// What SplitOf and a target's offset say.
Result<std::pair<std::pair<StreamId, PartitionId>, Offset>> ParseTarget(std::string_view split,
                                                                        std::string_view offset) {
  uint32_t stream = 0;
  uint32_t partition = 0;
  int64_t target = 0;
  const size_t dot = std::min(split.find('.'), split.size());
  const auto reads = [](std::string_view text, auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!reads(split.substr(0, dot), stream) ||
      !reads(split.substr(std::min(dot + 1, split.size())), partition) || !reads(offset, target)) {
    return Err(ErrorCode::kCorruption, fmt::format("build target {} = {}", split, offset));
  }
  return std::pair(std::pair(StreamId(stream), PartitionId(partition)), Offset(target));
}

Transport::Positions EndsOf(const ViewDefinition& view, Transport& transport) {
  Transport::Positions ends;
  for (const std::string& input : view.inputs) {
    const auto stream = transport.FindStream(input);
    for (uint32_t p = 0; stream && p < stream->definition.partitions; ++p) {
      const PartitionInfo info = transport.Describe(stream->id, PartitionId(p));
      if (info.durable_end > info.begin) {
        ends[{stream->id, PartitionId(p)}] = info.durable_end;
      }
    }
  }
  return ends;
}

}  // namespace

std::string ViewBuild::TargetsOf(std::string_view view) { return fmt::format("build:{}", view); }

Result<std::unique_ptr<ViewBuild>> ViewBuild::Start(const ViewDefinition& view,
                                                    Transport& transport) {
  std::unique_ptr<ViewBuild> build(new ViewBuild(view.name, transport));
  if (transport.FindStream(StateStreamOf(view.name))) {
    for (const auto& [split, offset] : transport.ReadSourcePositions(TargetsOf(view.name))) {
      MR_ASSIGN(const auto target, ParseTarget(split, offset));
      build->targets_.insert(target);
    }
    return build;
  }
  build->targets_ = EndsOf(view, transport);
  if (!build->targets_.empty()) {
    auto epoch = transport.BeginEpoch();
    for (const auto& [at, end] : build->targets_) {
      epoch->SetSourcePosition(TargetsOf(view.name), SplitOf(at), fmt::format("{}", end));
    }
    epoch->CommitAsync({});
  }
  return build;
}

double ViewBuild::Progress(const Transport::Positions& positions) const {
  if (done()) {
    return 1;
  }
  double all = 0;
  double taken = 0;
  bool done = true;
  for (const auto& [at, target] : targets_) {
    const Offset begin = transport_.Describe(at.first, at.second).begin;
    const auto found = positions.find(at);
    const Offset position = found == positions.end() ? begin : found->second;
    done = done && position >= target;
    all += static_cast<double>(std::max<int64_t>(target - begin, 1));
    taken += static_cast<double>(std::clamp<int64_t>(position - begin, 0, target - begin));
  }
  done_ = done;
  // Records that were given up meanwhile must not make it look done.
  constexpr double kAlmost = 0.999;
  return done ? 1 : std::min(taken / all, kAlmost);
}

void ViewBuild::Clear() {
  if (cleared_ || !done()) {
    return;
  }
  cleared_ = true;
  if (!targets_.empty()) {
    auto epoch = transport_.BeginEpoch();
    for (const auto& [at, end] : targets_) {
      epoch->SetSourcePosition(TargetsOf(view_), SplitOf(at), "");
    }
    epoch->CommitAsync({});
  }
}

}  // namespace millrace
