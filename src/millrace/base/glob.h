#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/file_system.h"

namespace millrace {

/// Returns whether `text` has a character that a glob treats specially: * ? [ or a backslash.
bool IsGlob(std::string_view text);

/// Matches one name, without slashes, against a glob: * is any characters, ? one byte, [a-z] and
/// [!a-z] one of a set, \ takes the next character as it is. As in a shell, a leading dot must be
/// written. An unclosed [ stands for itself.
bool GlobMatches(std::string_view pattern, std::string_view name);

/// Lists what matches `pattern`, whose components may all be globs, in ascending order; without
/// directories unless the pattern has no glob in it. A component that is missing or no directory
/// matches nothing. Errors: what FileSystem::List and Info say otherwise; kRecordTooLarge when more
/// than `paths_max` match.
Result<std::vector<std::string>> ListMatching(FileSystem& files, const std::string& pattern,
                                              size_t paths_max);

}  // namespace millrace
