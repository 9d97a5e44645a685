#include "millrace/base/large_stack_thread.h"

#include <sys/mman.h>

namespace millrace {

namespace {

/// What is left of the used stack below the thread's own frame.
constexpr size_t kStackKept = size_t{64} << 10;

}  // namespace

LargeStackThread::~LargeStackThread() {
  MutexLock turn(turn_);
  if (stack_ == nullptr) {
    return;
  }
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  pthread_join(thread_, nullptr);
  munmap(stack_, stack_bytes_);
}

Status LargeStackThread::Start() {
  void* const stack = mmap(nullptr, stack_bytes_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) {
    return Err(ErrorCode::kIoError, "there is no memory for a large stack");
  }
  // A page at the lower end that must not be touched: an overflow ends the process at once.
  constexpr size_t kGuardBytes = 4096;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const bool started = mprotect(stack, kGuardBytes, PROT_NONE) == 0 &&
                       pthread_attr_setstack(&attributes, stack, stack_bytes_) == 0 &&
                       pthread_create(&thread_, &attributes, Main, this) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) {
    munmap(stack, stack_bytes_);
    return Err(ErrorCode::kIoError, "a thread with a large stack could not be started");
  }
  stack_ = stack;
  return {};
}

Status LargeStackThread::Run(const std::function<void()>& body) {
  MutexLock turn(turn_);
  if (stack_ == nullptr) {
    MR_TRY(Start());
  }
  MutexLock lock(mutex_);
  body_ = &body;
  changed_.NotifyAll();
  while (body_ != nullptr) {
    changed_.Wait(mutex_);
  }
  return {};
}

void* LargeStackThread::Main(void* self) {
  pthread_setname_np(pthread_self(), "large-stack");
  static_cast<LargeStackThread*>(self)->Loop();
  return nullptr;
}

void LargeStackThread::Loop() {
  while (true) {
    const std::function<void()>* body = nullptr;
    {
      MutexLock lock(mutex_);
      while (body_ == nullptr && !stopping_) {
        changed_.Wait(mutex_);
      }
      if (stopping_) {
        return;
      }
      body = body_;
    }
    (*body)();
    GiveBackStack();
    MutexLock lock(mutex_);
    body_ = nullptr;
    changed_.NotifyAll();
  }
}

void LargeStackThread::GiveBackStack() const {
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
    return;
  }
  const bool known = pthread_attr_getstack(&attributes, &low, &size) == 0;
  pthread_attr_destroy(&attributes);
  constexpr uintptr_t kPage = 4096;
  std::byte* const begin = static_cast<std::byte*>(low) + kPage;
  const auto end =
      (reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - kStackKept) & ~(kPage - 1);
  if (const auto first = reinterpret_cast<uintptr_t>(begin); known && first < end) {
    madvise(begin, end - first, MADV_DONTNEED);
  }
}

}  // namespace millrace
