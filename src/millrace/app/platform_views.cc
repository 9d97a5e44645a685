#include "millrace/app/platform_views.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "millrace/app/logger.h"
#include "millrace/plan/optimizer.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

namespace {

/// Progress of what still waits for another view to be complete.
constexpr double kAlmost = 0.999;

/// A next view that is further behind goes on reading before those of now are paused for it.
constexpr int64_t kLagMax = 250'000;
constexpr std::chrono::seconds kCatchUpMax{5};
constexpr std::chrono::seconds kCatchUpAgain{30};

/// Records that a view has still to read.
int64_t LagOf(const RunningView& view, Transport& transport) {
  const auto& sources = view.runner().sources();
  const std::vector<Offset> position = view.runner().source_position();
  int64_t lag = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    lag += transport.Describe(sources[i].stream, sources[i].partition).durable_end - position[i];
  }
  return lag;
}

}  // namespace

double RunningView::BuildProgress() const {
  if (build_->done()) {
    return 1;
  }
  // What is published, and not only committed: rows of a large epoch are served a while later.
  Transport::Positions positions;
  const auto& sources = runner().sources();
  const std::vector<Offset> published = runner().source_position();
  for (size_t i = 0; i < sources.size(); ++i) {
    positions[{sources[i].stream, sources[i].partition}] = published[i];
  }
  return build_->Progress(positions);
}

double RunningView::Progress() const {
  double progress = BuildProgress();
  for (const auto& input : inputs_) {
    progress = std::min(progress,
                        input->serves_ ? input->Progress() : std::min(kAlmost, input->Progress()));
  }
  return progress;
}

std::shared_ptr<RunningView> ServedViews::Find(std::string_view name) const {
  const auto found = views.find(name);
  return found == views.end() ? nullptr : found->second;
}

Result<std::shared_ptr<RunningView>> PlatformViews::StartView(
    std::shared_ptr<const ProjectDefinition> project, const ViewDefinition& definition,
    bool is_former, const ServedViews& others) {
  std::vector<std::shared_ptr<RunningView>> inputs;
  for (const std::string& input : definition.inputs) {
    const auto next = others.next.find(input);
    auto found = !is_former && next != others.next.end() ? next->second : others.Find(input);
    if (found != nullptr) {
      inputs.push_back(std::move(found));
    }
  }
  auto view = std::make_shared<RunningView>(project, definition, std::move(inputs), with_.clock);
  Transport* transport = &with_.direct.ReaderSide(definition);
  if (!is_former && !others.next.empty()) {
    view->side_ = MakeNextSide(*transport, next_names_);
    transport = view->side_.get();
  }
  PipelineRunner::Options options = with_.pipeline;
  options.memory = &with_.memory;
  options.on_commit = with_.on_commit;
  if (with_.metrics != nullptr) {
    options.metrics = PipelineMetrics(*with_.metrics, definition.name);
  }
  if (with_.direct.IsReadBy(definition)) {
    // Its source waits for it once so much is there: more does not come.
    constexpr int64_t kLargeEpochRows = 16'384;
    options.large_epoch_rows = std::min(options.large_epoch_rows, kLargeEpochRows);
  }
  const auto begun = with_.clock.Monotonic();
  MR_ASSIGN(view->build_, ViewBuild::Start(definition, *transport));
  MR_ASSIGN(auto runner,
            PipelineRunner::Create(definition, *project, *transport, with_.clock, with_.workers,
                                   std::move(options), [t = &view->thread_] { t->Wake(); }));
  MR_LOG(kAppLog, kInfo, "view started", {"view", definition.name},
         {"inputs", fmt::format("{}", fmt::join(definition.inputs, ","))},
         {"state.keys", runner->stats().state_keys.load()},
         {"state.bytes", runner->stats().state_bytes.load()},
         {"event.duration", (with_.clock.Monotonic() - begun).count()});
  view->thread_.Start(std::move(runner));
  return view;
}

Status PlatformViews::Start(const ProjectDefinition& project,
                            const ProjectChanges::Beside& beside) {
  project_ = std::make_shared<const ProjectDefinition>(project);
  ServedViews served;
  for (const auto& [name, former] : beside) {
    next_names_.Add(name);
  }
  for (const ViewDefinition& view : project_->views) {
    const auto in_context = [&](const Error& error) {
      return Err(error.WithContext(fmt::format("view {}", view.name)));
    };
    const auto former = beside.find(view.name);
    if (former != beside.end()) {
      auto old = StartView(former->second, *former->second->FindView(view.name), true, served);
      if (!old) {
        return in_context(old.error());
      }
      served.views[view.name] = *std::move(old);
      // Before it is started, so that it is among the views to come.
      served.next[view.name] = nullptr;
    }
    auto started = StartView(project_, view, false, served);
    if (!started) {
      return in_context(started.error());
    }
    if (former != beside.end()) {
      (*started)->serves_ = false;
      served.next[view.name] = *std::move(started);
    } else {
      served.views[view.name] = *std::move(started);
    }
  }
  MakeGroups(served);
  Publish(std::make_shared<const ServedViews>(std::move(served)));
  return {};
}

std::shared_ptr<const ServedViews> PlatformViews::served() const {
  MutexLock lock(mutex_);
  return served_;
}

namespace {

/// Whether what a plan reads of views is there, as it knows it.
bool FindsItsColumns(const PlanNode& plan, const ProjectDefinition& project) {
  if (plan.kind == PlanNode::Kind::kScan && plan.scan.is_view) {
    const Schema& schema = *project.FindView(plan.scan.relation)->plan->schema;
    for (size_t i = 0; i < plan.scan.columns.size(); ++i) {
      const size_t column = plan.scan.columns[i];
      if (column >= schema.size() || schema.field(column) != plan.schema->field(i)) {
        return false;
      }
    }
  }
  return std::ranges::all_of(
      plan.inputs, [&](const PlanPtr& input) { return FindsItsColumns(*input, project); });
}

}  // namespace

void PlatformViews::Publish(std::shared_ptr<const ServedViews> served) {
  auto complete = std::make_shared<ServedViews>(*served);
  auto definition = std::make_shared<ProjectDefinition>(*project_);
  for (ViewDefinition& view : definition->views) {
    view = complete->views.at(view.name)->definition();
  }
  if (!complete->next.empty()) {
    std::erase_if(definition->plain_views, [&](PlainViewDefinition& plain) {
      plain.plan = OptimizePlan(plain.plan);  // Reads no columns that it does not need.
      return !FindsItsColumns(*plain.plan, *definition);
    });
  }
  complete->definition = std::move(definition);
  MutexLock lock(mutex_);
  served_ = std::move(complete);
}

void PlatformViews::MakeGroups(const ServedViews& served) {
  for (const ViewDefinition& view : project_->views) {
    if (!served.next.contains(view.name)) {
      continue;
    }
    Group group;
    // All groups that it reads from become one; their views come before it.
    std::erase_if(groups_, [&](const Group& other) {
      const bool is_read = std::ranges::any_of(other.views, [&](const std::string& name) {
        return std::ranges::find(view.inputs, name) != view.inputs.end();
      });
      if (is_read) {
        group.views.insert(group.views.end(), other.views.begin(), other.views.end());
      }
      return is_read;
    });
    group.views.push_back(view.name);
    groups_.push_back(std::move(group));
  }
}

bool PlatformViews::IsReady(const Group& group, const ServedViews& served) const {
  return std::ranges::all_of(group.views, [&](const std::string& name) {
    RunningView& next = *served.next.at(name);
    return !next.failure() && next.BuildProgress() == 1 && LagOf(next, with_.transport) <= kLagMax;
  });
}

std::vector<Offset> PlatformViews::GoalOf(const RunningView& next, const RunningView& old) const {
  const auto& read = old.runner().sources();
  const std::vector<Offset> position = old.runner().source_position();
  std::vector<Offset> goal;
  for (const PipelineRunner::Source& source : next.runner().sources()) {
    const auto same = std::ranges::find_if(read, [&](const PipelineRunner::Source& other) {
      return other.stream == source.stream && other.partition == source.partition;
    });
    goal.push_back(same != read.end()
                       ? position[static_cast<size_t>(same - read.begin())]
                       : with_.transport.Describe(source.stream, source.partition).durable_end);
  }
  return goal;
}

bool PlatformViews::HasCaughtUp(Group& group, const ServedViews& served) const {
  for (const std::string& name : group.views) {
    const RunningView& next = *served.next.at(name);
    // What it reads has been caught up with: its end is all that the view of now can show.
    const auto [goal, is_new] = group.goals.try_emplace(name);
    if (is_new) {
      goal->second = GoalOf(next, *served.views.at(name));
    }
    const std::vector<Offset> position = next.runner().source_position();
    for (size_t i = 0; i < position.size(); ++i) {
      if (position[i] < goal->second[i]) {
        return false;
      }
    }
  }
  return true;
}

Result<std::vector<std::string>> PlatformViews::ReplaceReady() {
  std::vector<std::string> replaced;
  for (auto group = groups_.begin(); group != groups_.end();) {
    const auto served = this->served();
    const auto now = with_.clock.Monotonic();
    if (!group->paused_at && now >= group->pause_again_at && IsReady(*group, *served)) {
      for (const std::string& name : group->views) {
        served->views.at(name)->thread_.Pause();
      }
      group->paused_at = now;
      group->goals.clear();
    }
    bool give_up = group->paused_at && now - *group->paused_at >= kCatchUpMax;
    if (group->paused_at && HasCaughtUp(*group, *served)) {
      MR_ASSIGN(const bool is_replaced, Replace(*group, *served));
      if (is_replaced) {
        replaced.insert(replaced.end(), group->views.begin(), group->views.end());
        group = groups_.erase(group);
        continue;
      }
      give_up = true;
    }
    if (give_up) {
      for (const std::string& name : group->views) {
        served->views.at(name)->thread_.Resume();
      }
      group->paused_at.reset();
      group->pause_again_at = now + kCatchUpAgain;
    }
    ++group;
  }
  return replaced;
}

Result<bool> PlatformViews::Replace(const Group& group, const ServedViews& served) {
  ServedViews after = served;
  StreamChanges changes;
  bool failed = false;
  for (const std::string& name : group.views) {
    const auto next = after.next.extract(name).mapped();
    next->thread_.Pause();
    failed = failed || next->failure();
    AddReplacement(with_.transport, name, changes);
    after.views[name] = next;
  }
  if (failed) {
    for (const std::string& name : group.views) {
      after.views.at(name)->thread_.Resume();
    }
    return false;
  }
  MR_TRY(with_.transport.ChangeStreams(changes));
  for (const std::string& name : group.views) {
    next_names_.Remove(name);
    after.views.at(name)->serves_ = true;
  }
  Publish(std::make_shared<const ServedViews>(after));
  for (const std::string& name : group.views) {
    after.views.at(name)->thread_.Resume();
    MR_LOG(kAppLog, kInfo, "a view is replaced by the one that was built beside it", {"view", name},
           {"event.duration", (with_.clock.Monotonic() - *group.paused_at).count()});
  }
  return true;
}

void PlatformViews::ClearBuilds() {
  const auto served = this->served();
  for (const auto* const views : {&served->views, &served->next}) {
    for (const auto& [name, view] : *views) {
      if (view->BuildProgress() == 1) {
        view->build_->Clear();
      }
    }
  }
}

}  // namespace millrace
