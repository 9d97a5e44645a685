#pragma once

#include <cstring>
#include <string_view>

#include "millrace/base/ids.h"

namespace millrace {

/// The bucket of a key of the first phase: the start of the bucket is in front of what identifies a
/// group, or a value of one, within it.
inline Micros BucketOf(std::string_view key) {
  Micros bucket = 0;
  std::memcpy(&bucket, key.data(), sizeof(bucket));
  return bucket;
}

inline std::string_view WithoutBucket(std::string_view key) { return key.substr(sizeof(Micros)); }

}  // namespace millrace
