#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/data/buffer.h"

namespace millrace::serve {

class BodyMemory;

/// The whole body of one request in one piece, followed by kPadding zero bytes that simdjson may
/// read. Owns its memory and its share of the memory budget for bodies; both go back when it is
/// destroyed, on whatever thread. Movable.
class RequestBody {
 public:
  static constexpr size_t kPadding = 64;

  RequestBody() = default;
  RequestBody(RequestBody&& other) noexcept { *this = std::move(other); }
  RequestBody& operator=(RequestBody&& other) noexcept;
  ~RequestBody();

  /// A padded copy outside any budget; for tests and tools.
  static RequestBody Copy(std::string_view text);

  /// Valid UTF-8 is not checked.
  std::string_view text() const {
    return {block_ == nullptr ? kNothing.data() : block_.get(), size_};
  }
  size_t size() const { return size_; }

 private:
  friend class BodyBuilder;

  static constexpr std::array<char, kPadding> kNothing{};

  std::unique_ptr<char[]> block_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t charged_ = 0;
  std::shared_ptr<BodyMemory> memory_;
};

/// Hands the body over as a shared buffer without a copy. The padding is still behind it, and the
/// budget stays charged until the last reference is gone.
BufferPtr ShareBody(RequestBody body);

/// The budget of all request bodies of a server, and the blocks it uses again. Thread-safe;
/// callbacks run on the thread that gives memory back, without a lock held.
///
/// Blocks of 64 KiB to 1 MiB are kept when freed: fresh ones would cost a page fault per 4 KiB,
/// which is as much as receiving the bytes.
class BodyMemory {
 public:
  explicit BodyMemory(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Charges the budget when there is room and nobody waits.
  bool TryCharge(size_t bytes) MR_EXCLUDES(mutex_);
  /// Charges the budget now and returns 0, or in the order of arrival once there is room: then
  /// `granted` runs. Returns the number of the wait. `bytes` is at most the budget.
  uint64_t ChargeOrWait(size_t bytes, std::function<void()> granted) MR_EXCLUDES(mutex_);
  /// Ends a wait; false when it was granted already: the bytes are charged.
  bool CancelWait(uint64_t number) MR_EXCLUDES(mutex_);
  void Discharge(size_t bytes) MR_EXCLUDES(mutex_);

  size_t charged_bytes() MR_EXCLUDES(mutex_);

  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t capacity;  ///< Without the padding, which is behind it.
  };
  /// At least `capacity` bytes, not initialised. Does not charge.
  Block Allocate(size_t capacity) MR_EXCLUDES(mutex_);
  void Recycle(Block block) MR_EXCLUDES(mutex_);

 private:
  struct Wait {
    uint64_t number;
    size_t bytes;
    std::function<void()> granted;
  };

  const size_t bytes_max_;
  Mutex mutex_;
  size_t charged_bytes_ MR_GUARDED_BY(mutex_) = 0;
  uint64_t waits_count_ MR_GUARDED_BY(mutex_) = 0;
  std::deque<Wait> waits_ MR_GUARDED_BY(mutex_);
  std::vector<Block> free_ MR_GUARDED_BY(mutex_);
  size_t free_bytes_ MR_GUARDED_BY(mutex_) = 0;
};

}  // namespace millrace::serve
