#include "millrace/base/rng.h"

#include <sys/random.h>

#include "millrace/base/check.h"

namespace millrace {

void FillRandomBytes(void* data, uint32_t size) {
  MR_CHECK(getentropy(data, size) == 0, "getentropy of {} bytes", size);
}

}  // namespace millrace
