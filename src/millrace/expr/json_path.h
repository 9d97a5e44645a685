#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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

/// The text of a value as ->> gives it: strings without quotes and escapes, objects and arrays with
/// PostgreSQL's spaces. Uses `scratch` where the text is not a part of `json`.
std::string_view JsonText(std::string_view json, std::string& scratch);

}  // namespace millrace
