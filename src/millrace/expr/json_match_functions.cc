#include <algorithm>
#include <string>
#include <vector>

#include "millrace/data/json_text.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/json_path.h"
#include "millrace/expr/json_path_reader.h"

namespace millrace::internal {

namespace {

// Whether jsonb holds something. Canonical texts of equal values are equal.

bool IsContainer(std::string_view json) {
  const JsonKind kind = GetJsonKind(json);
  return kind == JsonKind::kObject || kind == JsonKind::kArray;
}

/// Finds the value of a key, which is escaped and in quotes.
std::optional<std::string_view> FindMember(std::string_view object, std::string_view key) {
  for (JsonItems items(object); items.Next();) {
    if (items.key() == key) {
      return items.value();
    }
  }
  return std::nullopt;
}

bool HasElement(std::string_view array, std::string_view element) {
  for (JsonItems items(array); items.Next();) {
    if (items.value() == element) {
      return true;
    }
  }
  return false;
}

bool Contains(std::string_view whole, std::string_view part);

bool ContainsMembers(std::string_view whole, std::string_view part) {
  for (JsonItems items(part); items.Next();) {
    const auto value = FindMember(whole, items.key());
    if (!value || GetJsonKind(*value) != GetJsonKind(items.value()) ||
        !Contains(*value, items.value())) {
      return false;
    }
  }
  return true;
}

bool ContainsElement(std::string_view array, std::string_view element) {
  if (!IsContainer(element)) {
    return HasElement(array, element);
  }
  for (JsonItems items(array); items.Next();) {
    if (IsContainer(items.value()) && Contains(items.value(), element)) {
      return true;
    }
  }
  return false;
}

/// PostgreSQL's JsonbDeepContains. Both are canonical, so nested at most kJsonDepthMax deep.
bool Contains(std::string_view whole, std::string_view part) {
  const JsonKind kind = GetJsonKind(whole);
  if (GetJsonKind(part) != kind) {
    return false;
  }
  if (kind == JsonKind::kObject) {
    return ContainsMembers(whole, part);
  }
  if (kind != JsonKind::kArray) {
    return whole == part;
  }
  for (JsonItems items(part); items.Next();) {
    if (!ContainsElement(whole, items.value())) {
      return false;
    }
  }
  return true;
}

/// An array also contains a scalar that is one of its elements, but not one deeper inside.
bool ContainsAtTop(std::string_view whole, std::string_view part) {
  const bool scalar = GetJsonKind(whole) == JsonKind::kArray && !IsContainer(part);
  return scalar ? HasElement(whole, part) : Contains(whole, part);
}

template <bool kReversed>
Column ContainsKernel(const KernelCall& call) {
  return BooleanResult(call, PackBits(call.rows, [&](size_t row) {
                         if (!call.IsValid(row)) {
                           return false;
                         }
                         const std::string_view left = call.argument(0).Text(row);
                         const std::string_view right = call.argument(1).Text(row);
                         return kReversed ? ContainsAtTop(right, left) : ContainsAtTop(left, right);
                       }));
}

/// Whether a text is a key of an object, an element of an array, or the string itself. Uses
/// `scratch`.
bool Exists(std::string_view json, std::string_view text, std::string& scratch) {
  scratch.clear();
  AppendJsonString(scratch, text);
  switch (GetJsonKind(json)) {
    case JsonKind::kObject:
      return FindMember(json, scratch).has_value();
    case JsonKind::kArray:
      return HasElement(json, scratch);
    default:
      return json == scratch;
  }
}

Column ExistsKernel(const KernelCall& call) {
  std::string scratch;
  return BooleanResult(call, PackBits(call.rows, [&](size_t row) {
                         return call.IsValid(row) && Exists(call.argument(0).Text(row),
                                                            call.argument(1).Text(row), scratch);
                       }));
}

template <bool kAll>
Column ExistKernel(const KernelCall& call) {
  JsonPathReader lists(call);
  std::string scratch;
  auto words = PackBits(call.rows, [&](size_t row) {
    const JsonPath* texts = call.IsValid(row) ? lists.At(row) : nullptr;
    if (texts == nullptr) {
      return false;
    }
    const std::string_view json = call.argument(0).Text(row);
    const auto exists = [&](const std::optional<std::string>& text) {
      return text ? Exists(json, *text, scratch) : kAll;  // NULLs are passed over.
    };
    return kAll ? std::ranges::all_of(*texts, exists) : std::ranges::any_of(*texts, exists);
  });
  return BooleanResult(call, std::move(words));
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, TypeId right, Kernel kernel,
         ScalarFunction::Prepare prepare = nullptr) {
  out.push_back({.name = name,
                 .arguments = {TypeId::kJsonb, right},
                 .result = DataType::Of(TypeId::kBoolean),
                 .kernel = kernel,
                 .prepare = prepare,
                 .may_fail = prepare != nullptr});
}

}  // namespace

void AddJsonMatchFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "@>", TypeId::kJsonb, ContainsKernel<false>);
  Add(out, "<@", TypeId::kJsonb, ContainsKernel<true>);
  Add(out, "?", TypeId::kText, ExistsKernel);
  Add(out, "?|", TypeId::kText, ExistKernel<false>, PrepareJsonPath);
  Add(out, "?&", TypeId::kText, ExistKernel<true>, PrepareJsonPath);
}

}  // namespace millrace::internal
