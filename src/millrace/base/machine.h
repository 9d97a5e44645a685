#pragma once

#include <cstddef>

#include "millrace/base/file_system.h"

namespace millrace {

/// Memory in bytes that this process may use: that of the machine, or what its control group
/// (memory.max of cgroup v2) allows if that is less. `files` is the file system of the machine.
size_t MachineMemoryBytes(FileSystem& files);

}  // namespace millrace
