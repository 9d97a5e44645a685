#include "millrace/app/platform.h"

#include <fmt/format.h>

#include "millrace/connect/connector.h"
#include "millrace/connect/ingest_options.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {

namespace {

constexpr std::chrono::seconds kTickPeriod{1};

}  // namespace

Platform::Platform(Project project, FileSystem& files, const Clock& clock, Options options)
    : project_(std::move(project)), files_(files), clock_(clock), options_(std::move(options)) {}

Result<std::unique_ptr<Platform>> Platform::Start(Project project, FileSystem& files,
                                                  const Clock& clock, Options options) {
  std::unique_ptr<Platform> platform(
      new Platform(std::move(project), files, clock, std::move(options)));
  MR_TRY(platform->Open());
  return platform;
}

Status Platform::Open() {
  EmbeddedTransport::Options transport;
  transport.on_fatal = options_.on_fatal;
  MR_ASSIGN(transport_, EmbeddedTransport::Open(files_, options_.data_dir, transport));
  workers_ =
      std::make_unique<WorkerPool>(options_.workers > 0 ? options_.workers : AvailableProcessors());
  MR_ASSIGN(idempotency_, IdempotencyStore::Open(*transport_, clock_));
  for (const TableDefinition& table : project_.definition.tables) {
    auto ingestor = StreamIngestor::Open(table, *transport_, clock_,
                                         ReadConnectorOptions(table, IngestOptionTable()));
    if (!ingestor) {
      return Err(ingestor.error().WithContext(fmt::format("table {}", table.name)));
    }
    ingestors_[table.name] = *std::move(ingestor);
  }
  for (const ViewDefinition& view : project_.definition.views) {
    if (auto started = StartView(view); !started) {
      return Err(started.error().WithContext(fmt::format("view {}", view.name)));
    }
  }
  ticker_ = Thread("mr-ticker", [this] { Tick(); });
  return {};
}

Status Platform::StartView(const ViewDefinition& view) {
  const TableDefinition* source =
      view.inputs.size() == 1 ? project_.definition.FindTable(view.inputs.front()) : nullptr;
  if (source == nullptr) {
    return Err(ErrorCode::kNotImplemented,
               "views that do not read exactly one table are not there yet");
  }
  auto thread = std::make_unique<PipelineThread>(clock_);
  PipelineRunner::Options options;
  options.on_commit = [this] {
    MutexLock lock(mutex_);
    if (commit_listener_) {
      commit_listener_();
    }
  };
  MR_ASSIGN(auto runner,
            PipelineRunner::Create(view, *source, *transport_, clock_, *workers_,
                                   std::move(options), [t = thread.get()] { t->Wake(); }));
  thread->Start(std::move(runner));
  views_[view.name] = View{.definition = &view, .thread = std::move(thread)};
  return {};
}

Platform::~Platform() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyAll();
  }
  ticker_.Join();
  views_.clear();
  // Answers what is queued; the callbacks use the ingestors and the store.
  transport_.reset();
}

StreamIngestor* Platform::FindIngestor(std::string_view table) {
  const auto found = ingestors_.find(table);
  return found == ingestors_.end() ? nullptr : found->second.get();
}

Platform::View* Platform::FindView(std::string_view name) {
  const auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

void Platform::SetCommitListener(std::function<void()> listener) {
  MutexLock lock(mutex_);
  commit_listener_ = std::move(listener);
}

void Platform::Tick() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    wakeup_.WaitFor(mutex_, kTickPeriod);
    for (const auto& [name, ingestor] : ingestors_) {
      ingestor->Tick();
    }
  }
}

}  // namespace millrace
