#pragma once

/// MR_PLANTED(Name) is true while the bug of that name is planted: a test that must find bugs is
/// itself tested by planting some, one at a time, and expecting each to be found.
///
/// It is the constant false, and costs nothing, except in test programs that compile the code under
/// test themselves with MILLRACE_PLANTED_BUGS defined. Those choose with PlantBug.
#ifdef MILLRACE_PLANTED_BUGS

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// The planted bug and how often its place was reached. For one thread.
struct PlantedBug {
  std::string name;
  uint64_t reached_count = 0;

  bool Reach(std::string_view place) {
    const bool planted = place == name;
    reached_count += planted ? 1 : 0;
    return planted;
  }
};

inline PlantedBug& ThePlantedBug() {
  static PlantedBug bug;
  return bug;
}

/// Plants the named bug instead of the one before; none when empty.
inline void PlantBug(std::string_view name) { ThePlantedBug() = {.name = std::string(name)}; }

}  // namespace millrace

#define MR_PLANTED(Name) (::millrace::ThePlantedBug().Reach(#Name))

#else

#define MR_PLANTED(Name) false

#endif
