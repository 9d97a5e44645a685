#include "millrace/app/position_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace millrace {

namespace {

/// Reads "partition:offset,..."; nothing when it is something else.
PositionParts ParseParts(std::string_view text) {
  PositionParts parts;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    uint32_t partition = 0;
    int64_t offset = 0;
    const auto first = std::from_chars(at, end, partition);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') {
      return {};
    }
    const auto second = std::from_chars(first.ptr + 1, end, offset);
    if (second.ec != std::errc() || offset < 0) {
      return {};
    }
    parts.emplace_back(partition, Offset(offset));
    at = second.ptr;
    if (at < end && (*at != ',' || ++at == end)) {
      return {};
    }
  }
  return parts;
}

}  // namespace

bool IsOfView(const StreamInfo& stream) {
  const auto kind = stream.definition.properties.find("kind");
  return kind != stream.definition.properties.end() && kind->second == "view";
}

std::string FormatPosition(std::span<const Offset> offsets) {
  std::string text;
  for (const Offset offset : offsets) {
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : ".", offset);
  }
  return text;
}

Result<std::vector<Offset>> ParsePosition(std::string_view text, size_t partitions) {
  std::vector<Offset> offsets;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    const bool more = next < end && *next == '.' && next + 1 < end;
    if (error != std::errc() || value < 0 || (next != end && !more)) {
      break;
    }
    offsets.emplace_back(value);
    at = more ? next + 1 : next;
  }
  if (at != end || offsets.size() != partitions) {
    return Err(ErrorCode::kHttpBadRequest,
               fmt::format("'{}' is not a position of {} partitions", text, partitions));
  }
  return offsets;
}

std::string FormatPositionIn(const StreamInfo& stream, std::span<const Offset> offsets) {
  std::string position = FormatPosition(offsets);
  return IsOfView(stream) ? fmt::format("{}:{}", stream.id, position) : position;
}

Result<std::optional<std::vector<Offset>>> ParsePositionIn(const StreamInfo& stream,
                                                           std::string_view text) {
  if (const size_t colon = text.find(':'); IsOfView(stream) && colon != text.npos) {
    if (text.substr(0, colon) != fmt::format("{}", stream.id)) {
      return std::nullopt;
    }
    text.remove_prefix(colon + 1);
  }
  return ParsePosition(text, stream.definition.partitions);
}

PositionParts AllParts(std::span<const Offset> offsets) {
  PositionParts parts;
  for (uint32_t p = 0; p < offsets.size(); ++p) {
    parts.emplace_back(p, offsets[p]);
  }
  return parts;
}

std::string NumberedName(std::string_view view, StreamId stream) {
  return fmt::format("{}@{}", view, stream);
}

std::optional<std::pair<std::string, StreamId>> ParseNumberedName(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  uint32_t number = 0;
  const std::string_view digits = text.substr(at + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return std::pair(std::string(text.substr(0, at)), StreamId(number));
}

std::string FormatSourcePosition(std::span<const StreamPosition> position) {
  std::string text;
  for (const StreamPosition& stream : position) {
    text += text.empty() ? "" : ";";
    text += stream.stream.empty() ? "" : stream.stream + "/";
    bool first = true;
    for (const auto& [partition, offset] : stream.parts) {
      fmt::format_to(std::back_inserter(text), "{}{}:{}", first ? "" : ",", partition, offset);
      first = false;
    }
  }
  return text;
}

Result<std::vector<StreamPosition>> ParseSourcePosition(std::string_view text) {
  const auto invalid = [&] {
    return Err(Error(ErrorCode::kHttpBadRequest, fmt::format("'{}' is not a position", text))
                   .WithHint("0:12,1:5 or clicks/0:12,1:5;orders/0:3, as answers give it"));
  };
  std::vector<StreamPosition> position;
  std::string_view rest = text;
  while (true) {
    const std::string_view piece = rest.substr(0, rest.find(';'));
    const size_t slash = piece.rfind('/');
    StreamPosition stream;
    stream.stream = slash == std::string_view::npos ? "" : piece.substr(0, slash);
    stream.parts = ParseParts(slash == std::string_view::npos ? piece : piece.substr(slash + 1));
    const bool is_known =
        std::ranges::find(position, stream.stream, &StreamPosition::stream) != position.end();
    const bool is_nameless =
        stream.stream.empty() && (slash != std::string_view::npos || piece.size() != text.size());
    if (stream.parts.empty() || is_known || is_nameless) {
      return invalid();
    }
    position.push_back(std::move(stream));
    if (piece.size() == rest.size()) {
      return position;
    }
    rest.remove_prefix(piece.size() + 1);
  }
}

}  // namespace millrace
