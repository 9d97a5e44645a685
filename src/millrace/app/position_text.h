#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A position in a stream as clients see it: the next offset of each partition, "12.0.7.3".
std::string FormatPosition(std::span<const Offset> offsets);

/// kHttpBadRequest unless `text` has `partitions` offsets.
Result<std::vector<Offset>> ParsePosition(std::string_view text, size_t partitions);

/// Whether a stream is the changes of a materialized view.
bool IsOfView(const StreamInfo& stream);

/// A position with the stream's number in front for a view's, "7:12.0.7.3": a view that was rebuilt
/// has another stream.
std::string FormatPositionIn(const StreamInfo& stream, std::span<const Offset> offsets);

/// Reads both forms; none when the view had another stream then. kHttpBadRequest as above.
Result<std::optional<std::vector<Offset>>> ParsePositionIn(const StreamInfo& stream,
                                                           std::string_view text);

/// Some partitions of a stream with their next offsets.
using PositionParts = std::vector<std::pair<uint32_t, Offset>>;

/// How far one of the streams behind a view or a query has been read.
struct StreamPosition {
  std::string stream;  ///< Empty: the only one that it can be.
  PositionParts parts;

  bool operator==(const StreamPosition&) const = default;
};

/// All partitions with these offsets.
PositionParts AllParts(std::span<const Offset> offsets);

/// "counts@7": the name of a view with the number of its stream, which is another one once the view
/// was rebuilt; and back, none when the text has no number.
std::string NumberedName(std::string_view view, StreamId stream);
std::optional<std::pair<std::string, StreamId>> ParseNumberedName(std::string_view text);

/// Writes "clicks/0:12,1:5;orders/0:3", and "0:12,1:5" for a stream without a name.
std::string FormatSourcePosition(std::span<const StreamPosition> position);

/// Reads what FormatSourcePosition writes. kHttpBadRequest for everything else, also for a position
/// without a name beside others and for a stream that is named twice.
Result<std::vector<StreamPosition>> ParseSourcePosition(std::string_view text);

}  // namespace millrace
