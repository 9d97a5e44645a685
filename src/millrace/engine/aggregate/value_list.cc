#include "millrace/engine/aggregate/value_list.h"

#include <algorithm>

#include "millrace/expr/ordered_value.h"

namespace millrace {

namespace {

/// The text of an encoded value: of array_agg the array of one element; "null" for NULL, which only
/// jsonb_agg has.
std::string_view TextOf(std::string_view encoded) {
  constexpr size_t kBeforeText = 1 + sizeof(uint32_t);
  return encoded.front() == 0 ? "null" : encoded.substr(kBeforeText);
}

}  // namespace

void ValueList::Add(std::string_view ordered, int64_t count) {
  elements_.push_back({ordered, call_.distinct ? 1 : count});
}

bool ValueList::Append(std::string_view encoded, bool is_first, std::string& text) const {
  if (!is_first) {
    text += call_.kind == AggregateKind::kJsonbAgg ? std::string_view(", ") : call_.separator;
  }
  text += TextOf(encoded);
  return text.size() < ListState::kBytesMax;
}

void ValueList::Finish(ListState& state, TextArena& texts) {
  std::ranges::sort(elements_, {}, &Element::ordered);
  const bool is_json = call_.kind == AggregateKind::kJsonbAgg;
  std::string text = is_json ? "[" : "";
  state = {};
  for (const Element& element : elements_) {
    for (int64_t i = 0; i < element.count; ++i) {
      if (!Append(EncodedValueOf(element.ordered), state.count == 0, text)) {
        state.count = ListState::kTooLong;
        return;
      }
      ++state.count;
    }
  }
  text += is_json ? "]" : "";
  if (state.count > 0) {
    state.text = texts.Copy(text);
  }
}

}  // namespace millrace
