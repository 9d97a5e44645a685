#include "millrace/serve/body_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace millrace::serve {

namespace {

constexpr size_t kPooledMin = size_t{64} << 10;
constexpr size_t kPooledMax = size_t{1} << 20;
constexpr size_t kFreeBytesMax = size_t{16} << 20;

}  // namespace

RequestBody& RequestBody::operator=(RequestBody&& other) noexcept {
  std::swap(block_, other.block_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(charged_, other.charged_);
  std::swap(memory_, other.memory_);
  return *this;
}

RequestBody::~RequestBody() {
  if (memory_ != nullptr) {
    memory_->Recycle({.bytes = std::move(block_), .capacity = capacity_});
    memory_->Discharge(charged_);
  }
}

RequestBody RequestBody::Copy(std::string_view text) {
  RequestBody body;
  body.block_ = std::make_unique<char[]>(text.size() + kPadding);
  std::memcpy(body.block_.get(), text.data(), text.size());
  body.size_ = text.size();
  body.capacity_ = text.size();
  return body;
}

BufferPtr ShareBody(RequestBody body) {
  auto owner = std::make_shared<const RequestBody>(std::move(body));
  const auto bytes = std::as_bytes(std::span(owner->text().data(), owner->size()));
  return std::make_shared<const Buffer>(bytes, std::move(owner));
}

bool BodyMemory::TryCharge(size_t bytes) {
  MutexLock lock(mutex_);
  if (!waits_.empty() || bytes > bytes_max_ - charged_bytes_) {
    return false;
  }
  charged_bytes_ += bytes;
  return true;
}

uint64_t BodyMemory::ChargeOrWait(size_t bytes, std::function<void()> granted) {
  MutexLock lock(mutex_);
  if (waits_.empty() && bytes <= bytes_max_ - charged_bytes_) {
    charged_bytes_ += bytes;
    return 0;
  }
  waits_.push_back({.number = ++waits_count_, .bytes = bytes, .granted = std::move(granted)});
  return waits_count_;
}

bool BodyMemory::CancelWait(uint64_t number) {
  MutexLock lock(mutex_);
  return std::erase_if(waits_, [&](const Wait& wait) { return wait.number == number; }) > 0;
}

void BodyMemory::Discharge(size_t bytes) {
  std::vector<std::function<void()>> granted;
  {
    MutexLock lock(mutex_);
    charged_bytes_ -= bytes;
    while (!waits_.empty() && waits_.front().bytes <= bytes_max_ - charged_bytes_) {
      charged_bytes_ += waits_.front().bytes;
      granted.push_back(std::move(waits_.front().granted));
      waits_.pop_front();
    }
  }
  for (const auto& callback : granted) {
    callback();
  }
}

size_t BodyMemory::charged_bytes() {
  MutexLock lock(mutex_);
  return charged_bytes_;
}

BodyMemory::Block BodyMemory::Allocate(size_t capacity) {
  if (capacity >= kPooledMin && capacity <= kPooledMax) {
    capacity = std::bit_ceil(capacity);
    MutexLock lock(mutex_);
    const auto found = std::ranges::find(free_, capacity, &Block::capacity);
    if (found != free_.end()) {
      Block block = std::move(*found);
      *found = std::move(free_.back());
      free_.pop_back();
      free_bytes_ -= capacity;
      return block;
    }
  }
  return {.bytes = std::make_unique_for_overwrite<char[]>(capacity + RequestBody::kPadding),
          .capacity = capacity};
}

void BodyMemory::Recycle(Block block) {
  if (block.capacity < kPooledMin || block.capacity > kPooledMax ||
      !std::has_single_bit(block.capacity)) {
    return;
  }
  MutexLock lock(mutex_);
  if (free_bytes_ + block.capacity <= kFreeBytesMax) {
    free_bytes_ += block.capacity;
    free_.push_back(std::move(block));
  }
}

}  // namespace millrace::serve
