#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "millrace/data/array_value.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/json_path.h"
#include "millrace/expr/json_path_reader.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

// Building jsonb, in canonical text (data/json_text.h).

constexpr TypeId kJson = TypeId::kJsonb;
constexpr TypeId kText = TypeId::kText;

void AppendJsonArray(std::string& out, std::string_view array, const DataType& type,
                     std::string& scratch);

/// Appends a value as JSON: numbers and booleans as such, all else as the string of its text form.
void AppendJson(std::string& out, const Column& column, size_t row, std::string& scratch) {
  const DataType& type = column.type();
  if (type.is_array()) {
    AppendJsonArray(out, column.Text(row), type, scratch);
    return;
  }
  if (type.id == TypeId::kJsonb) {
    out += column.Text(row);
    return;
  }
  if (type.id == TypeId::kText) {
    AppendJsonString(out, column.Text(row));
    return;
  }
  scratch.clear();
  AppendValueText(scratch, ValueAt(column, row), type);
  const char last = scratch.empty() ? '\0' : scratch.back();
  const bool number = type.is_number() && last >= '0' && last <= '9';  // Not NaN, not Infinity.
  if (type.id == TypeId::kBoolean || type.is_integer()) {
    out += scratch;
  } else if (number) {
    (void)AppendCanonicalJson(out, scratch);
  } else {
    AppendJsonString(out, scratch);
  }
}

void AppendJsonArray(std::string& out, std::string_view array, const DataType& type,
                     std::string& scratch) {
  const Column elements = ElementsOf(array, type);
  out += '[';
  for (size_t i = 0; i < elements.size(); ++i) {
    out += i == 0 ? "" : ",";
    if (elements.IsNull(i)) {
      out += "null";
    } else {
      AppendJson(out, elements, i, scratch);
    }
  }
  out += ']';
}

Column ToJsonKernel(const KernelCall& call) {
  const Operand& operand = call.argument(0);
  if (operand.column.type().id == kJson) {
    return operand.column;
  }
  std::string scratch;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    AppendJson(out, operand.column, operand.constant ? 0 : row, scratch);
    return true;
  });
}

/// Makes `json`, which is well formed, canonical. False when the row has failed.
bool Canonicalize(const KernelCall& call, size_t row, std::string_view json, std::string& out) {
  const auto failure = AppendCanonicalJson(out, json);
  if (failure) {
    call.Fail(row, *failure, std::string(Describe(*failure).meaning));
  }
  return !failure;
}

/// The arguments are keys, as strings, and values in turn.
Column BuildObjectKernel(const KernelCall& call) {
  std::string raw;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    raw = "{";
    for (size_t i = 0; i + 1 < call.arguments.size(); i += 2) {
      if (call.argument(i).IsNull(row)) {
        call.Fail(row, ErrorCode::kInvalidCast,
                  fmt::format("argument {}: key must not be null", i + 1));
        return false;
      }
      raw += i == 0 ? "" : ",";
      raw += call.argument(i).Text(row);
      raw += ':';
      raw += call.argument(i + 1).IsNull(row) ? "null" : call.argument(i + 1).Text(row);
    }
    raw += '}';
    return Canonicalize(call, row, raw, out);
  });
}

Column BuildArrayKernel(const KernelCall& call) {
  std::string raw;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    raw = "[";
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      raw += i == 0 ? "" : ",";
      raw += call.argument(i).IsNull(row) ? "null" : call.argument(i).Text(row);
    }
    raw += ']';
    return Canonicalize(call, row, raw, out);
  });
}

// Changing

/// The elements of an array, or the value itself as the one element, without the brackets.
std::string_view AsElements(std::string_view json) {
  return GetJsonKind(json) == JsonKind::kArray ? json.substr(1, json.size() - 2) : json;
}

std::string_view MembersOf(std::string_view object) { return object.substr(1, object.size() - 2); }

Column ConcatenateKernel(const KernelCall& call) {
  std::string raw;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view left = call.argument(0).Text(row);
    const std::string_view right = call.argument(1).Text(row);
    const bool objects =
        GetJsonKind(left) == JsonKind::kObject && GetJsonKind(right) == JsonKind::kObject;
    const std::string_view first = objects ? MembersOf(left) : AsElements(left);
    const std::string_view second = objects ? MembersOf(right) : AsElements(right);
    const std::string_view comma = first.empty() || second.empty() ? "" : ",";
    raw = objects ? "{" : "[";
    raw.append(first).append(comma).append(second).append(objects ? "}" : "]");
    return Canonicalize(call, row, raw, out);
  });
}

/// Appends a container without the items for which `drop(index, items)` holds.
template <typename Drop>
void AppendWithout(std::string& out, std::string_view json, Drop drop) {
  const bool object = GetJsonKind(json) == JsonKind::kObject;
  out += object ? '{' : '[';
  int64_t index = 0;
  bool first = true;
  for (JsonItems items(json); items.Next(); ++index) {
    if (drop(index, items)) {
      continue;
    }
    out += first ? "" : ",";
    first = false;
    if (object) {
      out.append(items.key()).append(1, ':');
    }
    out += items.value();
  }
  out += object ? '}' : ']';
}

bool FailScalar(const KernelCall& call, size_t row, std::string_view json) {
  const JsonKind kind = GetJsonKind(json);
  const bool scalar = kind != JsonKind::kObject && kind != JsonKind::kArray;
  if (scalar) {
    call.Fail(row, ErrorCode::kInvalidCast, "cannot delete from scalar");
  }
  return scalar;
}

/// Drops a key of an object, or all equal strings of an array.
Column DeleteTextKernel(const KernelCall& call) {
  std::string wanted;
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view json = call.argument(0).Text(row);
    if (FailScalar(call, row, json)) {
      return false;
    }
    wanted.clear();
    AppendJsonString(wanted, call.argument(1).Text(row));
    const bool object = GetJsonKind(json) == JsonKind::kObject;
    AppendWithout(out, json, [&](int64_t, const JsonItems& items) {
      return (object ? items.key() : items.value()) == wanted;
    });
    return true;
  });
}

/// Drops an element of an array, from the end when negative.
Column DeleteElementKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view json = call.argument(0).Text(row);
    if (FailScalar(call, row, json)) {
      return false;
    }
    if (GetJsonKind(json) == JsonKind::kObject) {
      call.Fail(row, ErrorCode::kInvalidCast, "cannot delete from object using integer index");
      return false;
    }
    int64_t dropped = call.argument(1).At<int32_t>(row);
    dropped += dropped < 0 ? JsonLength(json) : 0;
    AppendWithout(out, json, [&](int64_t index, const JsonItems&) { return index == dropped; });
    return true;
  });
}

/// Where a path leads; `holder` is the container that holds it.
struct Place {
  std::string_view holder;
  std::optional<std::string_view> value;
};

/// Unlike #> this wants the steps into arrays to be numbers. None when the row has failed.
std::optional<Place> FindPlace(const KernelCall& call, size_t row, std::string_view json,
                               const JsonPath& path) {
  Place place{.holder = json, .value = json};
  for (size_t i = 0; i < path.size() && place.value; ++i) {
    int64_t index = 0;
    const bool array = GetJsonKind(*place.value) == JsonKind::kArray;
    const bool number =
        path[i] && ScanInteger(*path[i], std::numeric_limits<int32_t>::min(),
                               std::numeric_limits<int32_t>::max(), index) == ScanOutcome::kOk;
    if (!path[i] || (array && !number)) {
      call.Fail(row, ErrorCode::kInvalidCast,
                fmt::format("path element at position {} is {}", i + 1,
                            path[i] ? "not an integer" : "null"));
      return std::nullopt;
    }
    place.holder = *place.value;
    place.value = array ? JsonElement(place.holder, index) : JsonMember(place.holder, *path[i]);
  }
  place.value = path.empty() ? std::nullopt : place.value;
  return place;
}

/// Drops what a path leads to: the text around it stays.
Column DeletePathKernel(const KernelCall& call) {
  JsonPathReader paths(call);
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view json = call.argument(0).Text(row);
    const JsonPath* path = paths.At(row);
    if (path == nullptr || FailScalar(call, row, json)) {
      return false;
    }
    const auto place = FindPlace(call, row, json, *path);
    if (!place) {
      return false;
    }
    if (!place->value) {
      out = json;
      return true;
    }
    const std::string_view holder = place->holder;
    out.append(json.data(), holder.data());
    AppendWithout(out, holder, [&](int64_t, const JsonItems& items) {
      return items.value().data() == place->value->data();
    });
    out.append(holder.data() + holder.size(), json.data() + json.size());
    return true;
  });
}

/// Copies a value without the members of objects that are null.
void AppendWithoutNulls(std::string& out, std::string_view json) {
  const JsonKind kind = GetJsonKind(json);
  if (kind != JsonKind::kObject && kind != JsonKind::kArray) {
    out += json;
    return;
  }
  const bool object = kind == JsonKind::kObject;
  out += object ? '{' : '[';
  bool first = true;
  for (JsonItems items(json); items.Next();) {
    if (object && GetJsonKind(items.value()) == JsonKind::kNull) {
      continue;
    }
    out += first ? "" : ",";
    first = false;
    if (object) {
      out.append(items.key()).append(1, ':');
    }
    AppendWithoutNulls(out, items.value());
  }
  out += object ? '}' : ']';
}

Column StripNullsKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    AppendWithoutNulls(out, call.argument(0).Text(row));
    return true;
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         Kernel kernel, ScalarFunction::Prepare prepare = nullptr) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(kJson),
                 .kernel = kernel,
                 .prepare = prepare});
}

void AddBuilder(std::vector<ScalarFunction>& out, std::string_view name, Kernel kernel) {
  Add(out, name, {}, kernel);
  Add(out, name, {kJson}, kernel);
  out.back().variadic = true;
  out.back().strict = false;
}

}  // namespace

void AddJsonBuildFunctions(std::vector<ScalarFunction>& out) {
  for (const TypeId type : {TypeId::kBoolean, TypeId::kInt16, TypeId::kInt32, TypeId::kInt64,
                            TypeId::kFloat32, TypeId::kFloat64, TypeId::kNumeric, TypeId::kText,
                            TypeId::kBytea, TypeId::kDate, TypeId::kTimestamp, TypeId::kTimestamptz,
                            TypeId::kInterval, TypeId::kUuid, TypeId::kJsonb, TypeId::kArray}) {
    Add(out, "to_jsonb", {type}, ToJsonKernel);
  }
  AddBuilder(out, "jsonb_build_object", BuildObjectKernel);
  AddBuilder(out, "jsonb_build_array", BuildArrayKernel);
  Add(out, "||", {kJson, kJson}, ConcatenateKernel);
  Add(out, "-", {kJson, kText}, DeleteTextKernel);
  Add(out, "-", {kJson, TypeId::kInt32}, DeleteElementKernel);
  Add(out, "#-", {kJson, kText}, DeletePathKernel, PrepareJsonPath);
  Add(out, "jsonb_strip_nulls", {kJson}, StripNullsKernel);
}

}  // namespace millrace::internal
