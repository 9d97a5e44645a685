#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "millrace/base/result.h"

namespace millrace {

/// A named operating-system thread that its owner joins. The only way to start a thread.
/// The destructor joins; tell the body to end before that.
class Thread {
 public:
  Thread() = default;
  /// Starts `body`. `name` shows in debuggers and `top`; at most 15 bytes are kept.
  Thread(std::string name, std::function<void()> body);
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread();

  void Join();
  bool joinable() const { return thread_.joinable(); }

 private:
  std::thread thread_;
};

/// Number of processors this process may run on; at least 1.
int AvailableProcessors();

}  // namespace millrace
