#pragma once

#include <cstddef>
#include <vector>

namespace millrace {

/// Memory that a process reads in no order at all: large blocks lie on pages of 2 MiB where the
/// system has such (Linux, transparent huge pages), since with small ones most reads would also
/// miss the processor's address cache. Throws std::bad_alloc as operator new does.
void* AllocateOnHugePages(size_t bytes);
void FreeOnHugePages(void* memory, size_t bytes);

/// The standard allocator's interface to it.
template <typename T>
struct HugePageAllocator {
  using value_type = T;

  HugePageAllocator() = default;
  template <typename U>
  // NOLINTNEXTLINE(google-explicit-constructor)
  HugePageAllocator(const HugePageAllocator<U>&) {}

  T* allocate(size_t count) { return static_cast<T*>(AllocateOnHugePages(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) { FreeOnHugePages(memory, count * sizeof(T)); }

  bool operator==(const HugePageAllocator&) const = default;
};

template <typename T>
using HugePageVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace millrace
