#pragma once

#include <span>

#include "millrace/base/bytes.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Stream catalog$: one state frame per definition, in the order in which streams were created and
/// redefined.
inline constexpr StreamId kCatalogStream{0};
StreamInfo CatalogStreamInfo();

/// The frame of catalog$ that creates a stream, and back.
Bytes EncodeStreamInfo(const StreamInfo& info);
Result<StreamInfo> DecodeStreamInfo(std::span<const std::byte> payload);

}  // namespace millrace
