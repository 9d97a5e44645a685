#include "millrace/state/huge_pages.h"

#include <sys/mman.h>

#include <new>

namespace millrace {

namespace {

constexpr size_t kPageBytes = 2 << 20;
/// Below, what a page leaves unused would weigh more than what it saves.
constexpr size_t kBytesMin = 4 * kPageBytes;

}  // namespace

void* AllocateOnHugePages(size_t bytes) {
  if (bytes < kBytesMin) {
    return ::operator new(bytes);
  }
  void* const memory = ::operator new(bytes, std::align_val_t{kPageBytes});
  ::madvise(memory, bytes, MADV_HUGEPAGE);  // A hint: what it cannot do, it leaves.
  return memory;
}

void FreeOnHugePages(void* memory, size_t bytes) {
  if (bytes < kBytesMin) {
    ::operator delete(memory);
  } else {
    ::operator delete(memory, std::align_val_t{kPageBytes});
  }
}

}  // namespace millrace
