#pragma once

#include <map>
#include <string>
#include <string_view>

#include "millrace/stream/transport.h"

namespace millrace {

inline constexpr uint32_t kPartitionsMax = 65536;

/// Whether both define the same stream; schemas are compared by content, gone columns and first
/// names not at all.
bool SameDefinition(const StreamDefinition& a, const StreamDefinition& b);

/// Notes in `changed` which columns `stored` has, or has had, and `changed` has not: stored records
/// may still have values of them, so that no new column can have their names.
void NoteGoneColumns(const StreamDefinition& stored, StreamDefinition& changed);
bool IsGoneColumn(const StreamDefinition& definition, std::string_view column);
/// The properties of the owner: without gone columns and the first name.
std::map<std::string, std::string> OwnProperties(const StreamDefinition& definition);

/// The same stream under another name. What is stored of it stays where it is.
StreamDefinition Renamed(StreamDefinition definition, std::string name);
/// The name that a stream was created with.
std::string_view FirstName(const StreamDefinition& definition);

/// The definition of a stream that was dropped: it keeps its number and takes no part any more.
StreamDefinition Dropped(StreamDefinition definition);
bool IsDropped(const StreamDefinition& definition);
std::vector<StreamInfo> WithoutDropped(std::vector<StreamInfo> streams);

/// Says that records of the stream are not stored (direct/direct_stream.h).
void SetDirect(StreamDefinition& definition);
bool IsDirect(const StreamDefinition& definition);

/// kConfigInvalidValue unless a stream can be created from `definition`.
Status CheckDefinition(const StreamDefinition& definition);

}  // namespace millrace
