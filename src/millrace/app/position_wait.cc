#include "millrace/app/position_wait.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace millrace {

namespace {

bool Includes(const std::vector<Offset>& position, const PositionParts& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& part) {
    return part.first < position.size() && position[part.first] >= part.second;
  });
}

}  // namespace

/// Finds all ways from a stream to the client's query, which is a view without a name.
class PositionWait::Maker {
 public:
  Maker(const std::vector<std::string>& relations, const ViewFrontier& frontier,
        std::vector<Goal>& goals)
      : relations_(relations), frontier_(frontier), goals_(goals) {}

  Status Add(const StreamPosition& position) {
    std::string stream = position.stream;
    if (stream.empty()) {
      std::set<std::string> tables;
      AddTables("", tables);
      if (tables.size() != 1) {
        return Err(Error(ErrorCode::kHttpBadRequest,
                         fmt::format("the position does not say of which stream it is: {}",
                                     fmt::join(tables, ", ")))
                       .WithHint("put its name in front, as in " +
                                 (tables.empty() ? "clicks" : *tables.begin()) + "/0:12,1:5"));
      }
      stream = *tables.begin();
    }
    found_.clear();
    if (AddGoals("", stream, position.parts).empty()) {
      return Err(ErrorCode::kHttpBadRequest,
                 fmt::format("the position is of a stream that is not read here: {}", stream));
    }
    const size_t partitions = frontier_.end(stream).size();
    for (const auto& [partition, offset] : position.parts) {
      if (partition >= partitions) {
        return Err(ErrorCode::kHttpBadRequest,
                   fmt::format("the position is of partition {}, and {} has {} of them", partition,
                               stream, partitions));
      }
    }
    return {};
  }

 private:
  std::vector<std::string> InputsOf(const std::string& view) const {
    return view.empty() ? relations_ : frontier_.inputs(view);
  }

  void AddTables(const std::string& view, std::set<std::string>& tables) {
    if (!visited_.insert(view).second) {
      return;
    }
    const auto inputs = InputsOf(view);
    if (inputs.empty()) {
      tables.insert(view);
    }
    for (const std::string& input : inputs) {
      AddTables(input, tables);
    }
  }

  /// Returns the goals that together say that the view has all of the stream up to `parts`.
  std::vector<size_t> AddGoals(const std::string& view, const std::string& stream,
                               const PositionParts& parts) {
    if (const auto known = found_.find(view); known != found_.end()) {
      return known->second;
    }
    std::vector<size_t> added;
    for (const std::string& input : InputsOf(view)) {
      Goal goal{.view = view, .input = input, .wanted = std::nullopt, .after = {}};
      if (input == stream) {
        goal.wanted = parts;
      } else {
        goal.after = AddGoals(input, stream, parts);
      }
      if (goal.wanted || !goal.after.empty()) {
        added.push_back(goals_.size());
        goals_.push_back(std::move(goal));
      }
    }
    found_[view] = added;
    return added;
  }

  const std::vector<std::string>& relations_;
  const ViewFrontier& frontier_;
  std::vector<Goal>& goals_;
  std::map<std::string, std::vector<size_t>> found_;  // By view, for one stream.
  std::set<std::string> visited_;
};

Result<PositionWait> PositionWait::Make(const std::vector<std::string>& relations,
                                        std::string_view text, const ViewFrontier& frontier) {
  PositionWait wait;
  wait.relations_ = relations;
  wait.text_ = text;
  MR_TRY(wait.MakeGoals(frontier, false));
  return wait;
}

Status PositionWait::Renew(const ViewFrontier& frontier) { return MakeGoals(frontier, true); }

Status PositionWait::MakeGoals(const ViewFrontier& frontier, bool may_be_replaced) {
  goals_.clear();
  if (text_.empty()) {
    return {};
  }
  MR_ASSIGN(const auto position, ParseSourcePosition(text_));
  Maker maker(relations_, frontier, goals_);
  for (StreamPosition stream : position) {
    if (const auto numbered = ParseNumberedName(stream.stream)) {
      const auto now = frontier.stream(numbered->first);
      if (now && *now != numbered->second && may_be_replaced) {
        continue;
      }
      if (now && *now != numbered->second) {
        return Err(
            Error(ErrorCode::kOffsetOutOfRange,
                  fmt::format("view {} was rebuilt since position {}", numbered->first, text_))
                .WithHint("all of it is in the rows that there are now: ask without it"));
      }
      stream.stream = now ? numbered->first : stream.stream;
    }
    MR_TRY(maker.Add(stream));
  }
  return {};
}

bool PositionWait::Reached(const ViewFrontier& frontier) {
  bool all = true;
  for (Goal& goal : goals_) {
    if (goal.is_reached) {
      continue;
    }
    if (!goal.wanted && std::ranges::all_of(goal.after, [this](size_t earlier) {
          return goals_[earlier].is_reached;
        })) {
      goal.wanted = AllParts(frontier.end(goal.input));
    }
    if (goal.wanted) {
      goal.is_reached = Includes(
          goal.view.empty() ? frontier.end(goal.input) : frontier.read(goal.view, goal.input),
          *goal.wanted);
    }
    all = all && goal.is_reached;
  }
  return all;
}

}  // namespace millrace
