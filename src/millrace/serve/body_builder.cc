#include "millrace/serve/body_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

constexpr size_t kFirstBytes = size_t{64} << 10;

}  // namespace

BodyBuilder::BodyBuilder(std::shared_ptr<BodyMemory> memory, size_t bytes_max)
    : memory_(std::move(memory)), bytes_max_(bytes_max) {}

BodyBuilder::~BodyBuilder() {
  if (block_.bytes != nullptr) {
    memory_->Recycle(std::move(block_));
  }
  if (charged_ > 0) {
    memory_->Discharge(charged_);
  }
}

void BodyBuilder::AllocateWhole(size_t size) { block_ = memory_->Allocate(size); }

std::span<char> BodyBuilder::ChargedRoom() {
  const size_t end = std::min(block_.capacity, charged_);
  return {block_.bytes.get() + size_, end > size_ ? end - size_ : 0};
}

Result<std::span<char>> BodyBuilder::Room() {
  if (size_ >= bytes_max_) {
    return Err(ErrorCode::kBodyTooLarge, fmt::format("the limit is {} bytes", bytes_max_));
  }
  if (ChargedRoom().empty()) {
    const size_t capacity = std::min(bytes_max_, std::max(kFirstBytes, size_ * 2));
    if (!memory_->TryCharge(capacity - charged_)) {
      return Err(ErrorCode::kUnavailable, "the memory for request bodies is in use");
    }
    charged_ = capacity;
    BodyMemory::Block larger = memory_->Allocate(capacity);
    if (size_ > 0) {
      std::memcpy(larger.bytes.get(), block_.bytes.get(), size_);
      memory_->Recycle(std::move(block_));
    }
    block_ = std::move(larger);
  }
  return ChargedRoom();
}

Status BodyBuilder::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    MR_ASSIGN(const std::span<char> room, Room());
    const size_t size = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), size);
    Advance(size);
    bytes.remove_prefix(size);
  }
  return {};
}

RequestBody BodyBuilder::Finish() {
  if (block_.bytes == nullptr) {
    block_ = memory_->Allocate(0);
  }
  std::memset(block_.bytes.get() + size_, 0, RequestBody::kPadding);
  RequestBody body;
  body.block_ = std::move(block_.bytes);
  body.size_ = size_;
  body.capacity_ = block_.capacity;
  body.charged_ = std::exchange(charged_, 0);
  body.memory_ = memory_;
  return body;
}

}  // namespace millrace::serve
