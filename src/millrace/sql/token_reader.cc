#include "millrace/sql/token_reader.h"

#include <cstdint>
#include <optional>

namespace millrace::internal {

namespace {

// Field numbers and token numbers of pg_query.proto.
constexpr uint64_t kTokensField = 2;
constexpr uint64_t kStartField = 1;
constexpr uint64_t kEndField = 2;
constexpr uint64_t kTokenField = 4;
constexpr uint64_t kSqlComment = 275;
constexpr uint64_t kCComment = 276;

constexpr uint64_t kVarint = 0;
constexpr uint64_t kLengthDelimited = 2;

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  return std::nullopt;
}

struct Field {
  uint64_t number = 0;
  uint64_t value = 0;        ///< Of a varint.
  std::string_view content;  ///< Of a length-delimited field.
};

std::optional<Field> TakeField(std::string_view& bytes) {
  const auto tag = TakeVarint(bytes);
  const auto value = TakeVarint(bytes);
  if (!tag || !value) {
    return std::nullopt;
  }
  Field field{.number = *tag >> 3, .value = *value, .content = {}};
  if ((*tag & 7) == kLengthDelimited) {
    if (*value > bytes.size()) {
      return std::nullopt;
    }
    field.content = bytes.substr(0, *value);
    bytes.remove_prefix(*value);
  } else if ((*tag & 7) != kVarint) {
    return std::nullopt;
  }
  return field;
}

/// None for a comment.
std::optional<Token> ReadToken(std::string_view message) {
  Token token;
  while (const auto field = TakeField(message)) {
    if (field->number == kStartField) {
      token.begin = static_cast<int>(field->value);
    } else if (field->number == kEndField) {
      token.end = static_cast<int>(field->value);
    } else if (field->number == kTokenField &&
               (field->value == kSqlComment || field->value == kCComment)) {
      return std::nullopt;
    }
  }
  return token;
}

}  // namespace

std::vector<Token> ReadTokens(std::string_view message) {
  std::vector<Token> tokens;
  while (const auto field = TakeField(message)) {
    if (field->number != kTokensField) {
      continue;
    }
    if (const auto token = ReadToken(field->content)) {
      tokens.push_back(*token);
    }
  }
  return tokens;
}

}  // namespace millrace::internal
