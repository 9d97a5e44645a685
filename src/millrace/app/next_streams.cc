#include "millrace/app/next_streams.h"

#include <utility>

#include <fmt/format.h>

#include "millrace/app/view_build.h"
#include "millrace/engine/pipeline_streams.h"
#include "millrace/stream/transport_decorator.h"

namespace millrace {

namespace {

constexpr std::string_view kPrefix = "next$";

std::vector<std::string> NamesOf(std::string_view view) {
  std::vector<std::string> names = StreamNamesOfView(view);
  names.push_back(ReaderOfView(view));
  names.push_back(ViewBuild::TargetsOf(view));
  return names;
}

class NextWriter final : public EpochWriterDecorator {
 public:
  NextWriter(std::unique_ptr<EpochWriter> below, const NextViews& views)
      : EpochWriterDecorator(std::move(below)), views_(views) {}

  void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                   Offset next) override {
    below().SetPosition(views_.Resolve(reader), stream, partition, next);
  }
  void SetSourcePosition(std::string_view source, std::string_view split,
                         std::string value) override {
    below().SetSourcePosition(views_.Resolve(source), split, std::move(value));
  }

 private:
  const NextViews& views_;
};

class NextSide final : public TransportDecorator {
 public:
  NextSide(Transport& base, const NextViews& views) : TransportDecorator(base), views_(views) {}

  Result<StreamId> CreateStream(const StreamDefinition& definition) override {
    StreamDefinition resolved = definition;
    resolved.name = views_.Resolve(definition.name);
    return base().CreateStream(resolved);
  }
  std::optional<StreamInfo> FindStream(std::string_view name) override {
    return base().FindStream(views_.Resolve(name));
  }
  std::unique_ptr<EpochWriter> BeginEpoch() override {
    return std::make_unique<NextWriter>(base().BeginEpoch(), views_);
  }
  Positions ReaderPositions(std::string_view reader) override {
    return base().ReaderPositions(views_.Resolve(reader));
  }
  SourcePositions ReadSourcePositions(std::string_view source) override {
    return base().ReadSourcePositions(views_.Resolve(source));
  }

 private:
  const NextViews& views_;
};

}  // namespace

std::string NextName(std::string_view name) { return fmt::format("{}{}", kPrefix, name); }

bool IsNextName(std::string_view name) { return name.starts_with(kPrefix); }

void NextViews::Add(std::string_view view) {
  MutexLock lock(mutex_);
  for (const std::string& name : NamesOf(view)) {
    names_.emplace(name, NextName(name));
  }
}

void NextViews::Remove(std::string_view view) {
  MutexLock lock(mutex_);
  for (const std::string& name : NamesOf(view)) {
    names_.erase(name);
  }
}

std::string NextViews::Resolve(std::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = names_.find(name);
  return found == names_.end() ? std::string(name) : found->second;
}

std::unique_ptr<Transport> MakeNextSide(Transport& base, const NextViews& views) {
  return std::make_unique<NextSide>(base, views);
}

void AddReplacement(Transport& transport, std::string_view view, StreamChanges& changes) {
  for (const std::string& name : StreamNamesOfView(view)) {
    if (const auto old = transport.FindStream(name)) {
      changes.dropped.push_back(old->id);
    }
    if (transport.FindStream(NextName(name))) {
      changes.renamed.push_back({.from = NextName(name), .to = name});
    }
  }
  const std::string reader = ReaderOfView(view);
  changes.renamed_readers.push_back({.from = NextName(reader), .to = reader});
  changes.forgotten_sources.push_back(ViewBuild::TargetsOf(view));
  changes.forgotten_sources.push_back(NextName(ViewBuild::TargetsOf(view)));
}

void AddRemoval(Transport& transport, std::string_view view, StreamChanges& changes) {
  for (const std::string& name : StreamNamesOfView(view)) {
    if (const auto next = transport.FindStream(NextName(name))) {
      changes.dropped.push_back(next->id);
    }
  }
  const std::string reader = NextName(ReaderOfView(view));
  if (!transport.ReaderPositions(reader).empty()) {
    changes.forgotten_readers.push_back(reader);
  }
  const std::string targets = NextName(ViewBuild::TargetsOf(view));
  if (!transport.ReadSourcePositions(targets).empty()) {
    changes.forgotten_sources.push_back(targets);
  }
}

}  // namespace millrace
