#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// How far a new view has come with what its inputs held when it was made. Until it has taken in
/// all of that its rows are only a part of the answer. Thread-safe.
class ViewBuild {
 public:
  /// Call before the view's pipeline is made: a view without state is new, and the ends of its
  /// inputs become its targets, durable before any stream of the view is. For another one finds the
  /// targets it has left. `transport` outlives it. Errors: kCorruption.
  static Result<std::unique_ptr<ViewBuild>> Start(const ViewDefinition& view, Transport& transport);

  /// The part of the records that is taken in by `positions`, those of the view, from 0 to 1; 1
  /// once all are, for ever.
  double Progress(const Transport::Positions& positions) const;
  bool done() const { return done_ || targets_.empty(); }
  /// Forgets the targets, once it is done. One thread at a time.
  void Clear();

  /// Under what name the targets are kept among the positions of sources.
  static std::string TargetsOf(std::string_view view);

 private:
  ViewBuild(std::string view, Transport& transport)
      : view_(std::move(view)), transport_(transport) {}

  std::string view_;
  Transport& transport_;
  Transport::Positions targets_;
  mutable std::atomic<bool> done_{false};
  bool cleared_ = false;  // By Clear alone.
};

}  // namespace millrace
