#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/direct_tables.h"
#include "millrace/app/next_streams.h"
#include "millrace/app/project_changes.h"
#include "millrace/app/view_build.h"
#include "millrace/base/clock.h"
#include "millrace/base/metrics.h"
#include "millrace/base/mutex.h"
#include "millrace/engine/engine_options.h"
#include "millrace/engine/pipeline_thread.h"
#include "millrace/engine/worker_pool.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A materialized view and the pipeline that keeps it up to date.
class RunningView {
 public:
  /// `project` defines it. `inputs`: the views that it reads, those that run.
  RunningView(std::shared_ptr<const ProjectDefinition> project, const ViewDefinition& definition,
              std::vector<std::shared_ptr<RunningView>> inputs, const Clock& clock)
      : project_(std::move(project)),
        definition_(definition),
        inputs_(std::move(inputs)),
        thread_(clock) {}

  const ViewDefinition& definition() const { return definition_; }
  const PipelineRunner& runner() const { return *thread_.runner(); }
  /// Why its pipeline has stopped by itself; nothing while it runs.
  std::optional<Error> failure() { return thread_.failure(); }
  /// Lets it look for work.
  void Wake() { thread_.Wake(); }
  /// How much of what was there before it the view, and what it reads, has taken in: from 0 to 1.
  double Progress() const;

 private:
  friend class PlatformViews;

  /// The same of its own inputs alone.
  double BuildProgress() const;

  const std::shared_ptr<const ProjectDefinition> project_;
  const ViewDefinition& definition_;
  const std::vector<std::shared_ptr<RunningView>> inputs_;
  /// False while another view of its name serves: what reads this one is not complete before.
  std::atomic<bool> serves_{true};
  std::unique_ptr<Transport> side_;  // May be null.
  std::unique_ptr<ViewBuild> build_;
  PipelineThread thread_;
};

using RunningViews = std::map<std::string, std::shared_ptr<RunningView>, std::less<>>;

/// Views as clients see them at one time.
struct ServedViews {
  /// The project's, but for views that are built anew: these are defined as they were, and plain
  /// views that need what only the new ones have are not there.
  std::shared_ptr<const ProjectDefinition> definition;
  RunningViews views;
  /// Those that are built beside one of `views`, to take its place.
  RunningViews next;

  /// Null when there is no such view.
  std::shared_ptr<RunningView> Find(std::string_view name) const;
};

/// The pipelines of all views of a project. A view that is built beside the one of now takes its
/// place once it has read as far: together with the views that read it or are read by it, in one
/// commit (docs/adr/0010-project-changes.md).
class PlatformViews {
 public:
  /// What pipelines run with; all of it outlives this.
  struct Surroundings {
    Transport& transport;
    DirectTables& direct;
    const Clock& clock;
    WorkerPool& workers;
    MemoryBudget& memory;
    PipelineRunner::Options pipeline;
    MetricsRegistry* metrics = nullptr;  ///< May be null.
    std::function<void()> on_commit;     ///< After each commit, on pipelines' threads.
  };

  explicit PlatformViews(Surroundings surroundings) : with_(std::move(surroundings)) {}

  /// Starts all views of `project`, and of those that `beside` names what they are now.
  Status Start(const ProjectDefinition& project, const ProjectChanges::Beside& beside);

  std::shared_ptr<const ServedViews> served() const MR_EXCLUDES(mutex_);
  /// Whether a view is built beside another one.
  bool has_next() const { return !groups_.empty(); }

  /// Looks how far the next views are, and replaces those that are ready. One thread at a time.
  /// Returns the views that were replaced. Errors: those of Transport::ChangeStreams.
  Result<std::vector<std::string>> ReplaceReady() MR_EXCLUDES(mutex_);
  /// Forgets what views have taken in once they are built. One thread at a time.
  void ClearBuilds() MR_EXCLUDES(mutex_);

 private:
  /// Views that read each other: they are replaced together.
  struct Group {
    std::vector<std::string> views;  ///< In dependency order.
    /// Since when those of now are paused, until the next ones have come as far; none: they run.
    std::optional<std::chrono::nanoseconds> paused_at;
    std::chrono::nanoseconds pause_again_at{0};        ///< After a pause that was too long.
    std::map<std::string, std::vector<Offset>> goals;  ///< By view, per source of the next one.
  };

  Result<std::shared_ptr<RunningView>> StartView(std::shared_ptr<const ProjectDefinition> project,
                                                 const ViewDefinition& definition, bool is_former,
                                                 const ServedViews& others);
  void MakeGroups(const ServedViews& served);
  bool IsReady(const Group& group, const ServedViews& served) const;
  bool HasCaughtUp(Group& group, const ServedViews& served) const;
  std::vector<Offset> GoalOf(const RunningView& next, const RunningView& old) const;
  /// False: one of the next views has failed, and those of now stay.
  Result<bool> Replace(const Group& group, const ServedViews& served) MR_EXCLUDES(mutex_);
  void Publish(std::shared_ptr<const ServedViews> served) MR_EXCLUDES(mutex_);

  const Surroundings with_;
  std::shared_ptr<const ProjectDefinition> project_;
  NextViews next_names_;
  std::vector<Group> groups_;
  mutable Mutex mutex_;
  std::shared_ptr<const ServedViews> served_ MR_GUARDED_BY(mutex_) =
      std::make_shared<const ServedViews>();
};

}  // namespace millrace
