#include "millrace/base/thread.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

namespace millrace {

Thread::Thread(std::string name, std::function<void()> body) {
  constexpr size_t kNameBytesMax = 15;  // Linux TASK_COMM_LEN without the NUL
  name.resize(std::min(name.size(), kNameBytesMax));
  thread_ = std::thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  });
}

Thread& Thread::operator=(Thread&& other) noexcept {
  Join();
  thread_ = std::move(other.thread_);
  return *this;
}

Thread::~Thread() { Join(); }

void Thread::Join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

namespace {

void* RunBody(void* body) {
  pthread_setname_np(pthread_self(), "large-stack");
  (*static_cast<const std::function<void()>*>(body))();
  return nullptr;
}

}  // namespace

Status RunWithLargeStack(size_t stack_bytes, const std::function<void()>& body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_t thread;
  const bool started =
      pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
      pthread_create(&thread, &attributes, RunBody, const_cast<std::function<void()>*>(&body)) == 0;
  pthread_attr_destroy(&attributes);
  if (!started) {
    return Err(ErrorCode::kIoError, "a thread with a large stack could not be started");
  }
  pthread_join(thread, nullptr);
  return {};
}

int AvailableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return 1;
  }
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace millrace
