#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "millrace/base/result.h"
#include "millrace/serve/body_memory.h"

namespace millrace::serve {

/// Collects the bytes of one RequestBody within a limit. What it has charged it gives back when it
/// is destroyed before Finish. For one thread at a time.
class BodyBuilder {
 public:
  BodyBuilder(std::shared_ptr<BodyMemory> memory, size_t bytes_max);
  BodyBuilder(BodyBuilder&&) = delete;
  BodyBuilder& operator=(BodyBuilder&&) = delete;
  ~BodyBuilder();

  size_t size() const { return size_; }
  size_t charged_bytes() const { return charged_; }

  /// Takes a block for a body whose size is known, without charging it: the caller charges as
  /// bytes arrive and says so with AddCharge. At most once, before anything else.
  void AllocateWhole(size_t size);
  void AddCharge(size_t bytes) { charged_ += bytes; }

  /// Room for more bytes, never empty; charges and grows as needed. kBodyTooLarge when the body is
  /// at its limit, kUnavailable when the budget has no room at the moment.
  Result<std::span<char>> Room();
  /// The room that is allocated and charged already; may be empty.
  std::span<char> ChargedRoom();
  /// Counts `size` bytes as written to the room.
  void Advance(size_t size) { size_ += size; }
  /// Copies `bytes`. Errors as of Room.
  Status Append(std::string_view bytes);

  /// Ends the collection.
  RequestBody Finish();

 private:
  const std::shared_ptr<BodyMemory> memory_;
  const size_t bytes_max_;
  BodyMemory::Block block_{nullptr, 0};
  size_t size_ = 0;
  size_t charged_ = 0;
};

}  // namespace millrace::serve
