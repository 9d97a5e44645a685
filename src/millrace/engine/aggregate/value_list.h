#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/plan/plan_node.h"
#include "millrace/state/text_arena.h"

namespace millrace {

/// The accumulator of string_agg, jsonb_agg and array_agg: what they show, made anew from all
/// values of a group whenever one comes or goes. Stored in state frames; all zero is empty.
struct ListState {
  int64_t count = 0;  ///< Of the values; kTooLong when the list has no room.
  TextRef text;

  static constexpr int64_t kTooLong = -1;
  static constexpr size_t kBytesMax = size_t{1} << 20;
};

/// Puts ordered values (expr/ordered_value.h) together.
class ValueList {
 public:
  explicit ValueList(const AggregateCall& call) : call_(call) {}

  /// `count`: how often it is there. `ordered` outlives the list.
  void Add(std::string_view ordered, int64_t count);
  /// Sets `state`; the text goes to `texts`.
  void Finish(ListState& state, TextArena& texts);

 private:
  struct Element {
    std::string_view ordered;
    int64_t count;
  };
  /// False when there is no room.
  bool Append(std::string_view encoded, bool is_first, std::string& text) const;

  const AggregateCall& call_;
  std::vector<Element> elements_;
};

}  // namespace millrace
