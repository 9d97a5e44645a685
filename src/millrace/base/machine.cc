#include "millrace/base/machine.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace millrace {

size_t MachineMemoryBytes(FileSystem& files) {
  const auto machine =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const auto file = files.Open("/sys/fs/cgroup/memory.max", OpenMode::kRead);
  if (!file) {
    return machine;
  }
  std::array<char, 64> text{};
  const auto size = (*file)->ReadAt(0, std::as_writable_bytes(std::span(text)));
  uint64_t limit = 0;
  if (!size || std::from_chars(text.data(), text.data() + *size, limit).ec != std::errc()) {
    return machine;  // "max".
  }
  return std::min<size_t>(machine, limit);
}

}  // namespace millrace
