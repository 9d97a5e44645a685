#include "millrace/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace millrace::internal {

void CheckFailed(std::string_view file, int line, std::string_view condition,
                 const std::string& message) {
  const std::string text =
      fmt::format("MR9001: check failed at {}:{}: {} {}\n", file, line, condition, message);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::abort();
}

}  // namespace millrace::internal
