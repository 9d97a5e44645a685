#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace {

// Reads parts of canonical JSON text (codec/json_text.h: valid, no white space, unique keys).
// Nothing is parsed into a tree: a value is a view into the text. Text that is not canonical is not
// corrupted memory, but may give any answer.

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

/// The kind of a value, from its first character.
JsonKind GetJsonKind(std::string_view json);
/// PostgreSQL's name: null, boolean, number, string, array, object.
std::string_view JsonKindName(JsonKind kind);

/// The member `key` of an object; none for other kinds and missing keys. `key` is not escaped.
std::optional<std::string_view> JsonMember(std::string_view json, std::string_view key);
/// The element `index` of an array, from the end when negative; none when there is none.
std::optional<std::string_view> JsonElement(std::string_view json, int64_t index);
/// The number of elements of an array.
int64_t JsonLength(std::string_view array);

/// Goes over the members of an object or the elements of an array; a scalar has none.
class JsonItems final {
 public:
  explicit JsonItems(std::string_view container);

  /// Moves to the next item, at first to the first one; false behind the last.
  bool Next();
  /// The member's key as it stands, with quotes; empty in an array.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view json_;
  bool object_;
  size_t at_ = 1;
  std::string_view key_;
  std::string_view value_;
};

/// Texts such as '{a,"b c",NULL}': what PostgreSQL reads as text[] on the right of #> and ?|. NULL
/// is none.
using JsonPath = std::vector<std::optional<std::string>>;
/// kInvalidCast.
Result<JsonPath> ParseJsonPath(std::string_view text);

/// The value that a path leads to; none when there is none, or for a NULL in the path.
std::optional<std::string_view> JsonAtPath(std::string_view json, const JsonPath& path);

/// The text of a value as ->> gives it: strings without quotes and escapes, objects and arrays with
/// PostgreSQL's spaces. Uses `scratch` where the text is not a part of `json`.
std::string_view JsonText(std::string_view json, std::string& scratch);

}  // namespace millrace
