#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/app/position_text.h"

namespace millrace {

/// What views read, and how far they have come by now.
struct ViewFrontier {
  /// The relations that a view reads directly; none for tables and other streams.
  std::function<std::vector<std::string>(const std::string& view)> inputs;
  /// How far a view has read one of them, by partition.
  std::function<std::vector<Offset>(const std::string& view, const std::string& input)> read;
  /// The stream of a view; none for other relations.
  std::function<std::optional<StreamId>(const std::string& relation)> stream;
  /// The readable end of a relation's stream, by partition.
  std::function<std::vector<Offset>(const std::string& relation)> end;
};

/// Waits until some relations show what stood in the streams behind them up to a position.
///
/// A stream may reach a relation through other views. Such a view must have read the stream up to
/// the position first; what it had put out by then is what the next one must read. That end is
/// looked up once, so that a wait ends also under load. Used by one thread at a time.
class PositionWait {
 public:
  /// Waits for nothing.
  PositionWait() = default;

  /// `relations` are asked by the client; `text` as ParseSourcePosition reads it, or empty. Errors:
  /// kHttpBadRequest, also for a stream that is not behind any of them, and for a position without
  /// a name when several tables are; kOffsetOutOfRange for the stream that a view had before it was
  /// rebuilt.
  static Result<PositionWait> Make(const std::vector<std::string>& relations, std::string_view text,
                                   const ViewFrontier& frontier);

  /// Begins anew, because views were replaced by others that read other streams, and have read as
  /// far. Errors: as of Make.
  Status Renew(const ViewFrontier& frontier);

  /// Whether it has come to its end; asks the frontier only for what was not reached before.
  bool Reached(const ViewFrontier& frontier);

 private:
  /// That a view (or, without a name, the client's query) has read an input up to `wanted`.
  struct Goal {
    std::string view;
    std::string input;
    std::optional<PositionParts> wanted;  ///< None until the goals of `after` are reached.
    std::vector<size_t> after;            ///< Earlier goals.
    bool is_reached = false;
  };
  class Maker;

  /// `may_be_replaced`: streams that views had before are read as far as they were.
  Status MakeGoals(const ViewFrontier& frontier, bool may_be_replaced);

  std::vector<std::string> relations_;
  std::string text_;
  std::vector<Goal> goals_;
};

}  // namespace millrace
