#include "millrace/expr/kernel.h"

#include "millrace/base/check.h"

namespace millrace::internal {

BufferPtr ResultValidity(const KernelCall& call) {
  if (call.errors.empty()) {
    return call.validity;
  }
  std::vector<uint64_t> words;
  if (call.validity == nullptr) {
    BitmapBuilder all;
    all.AppendMany(true, call.rows);
    words = all.Take();
  } else {
    const auto given = call.validity->As<uint64_t>().first(WordsForBits(call.rows));
    words.assign(given.begin(), given.end());
  }
  for (const RowError& error : call.errors.entries()) {
    ClearBit(words.data(), error.row);
  }
  return Buffer::Own(std::move(words));
}

Column BooleanResult(const KernelCall& call, std::vector<uint64_t> words) {
  BufferPtr validity = ResultValidity(call);
  if (validity != nullptr) {
    const auto valid = validity->As<uint64_t>();
    for (size_t i = 0; i < words.size(); ++i) {
      words[i] &= valid[i];
    }
  }
  return {call.type, call.rows, std::move(validity), Buffer::Own(std::move(words))};
}

}  // namespace millrace::internal
