#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "millrace/base/mutex.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The epochs that a source has handed over and that are not decided yet, and what became of those
/// that are. The source asks before each step how to go on. Thread-safe; the callbacks run on
/// threads of the transport.
class CommitsInFlight {
 public:
  enum class Next : uint8_t {
    kGo,
    kWait,    ///< Enough are in flight; `wake` is called when one is decided.
    kRewind,  ///< One was aborted, and none is in flight any more: go back to what is committed.
  };

  /// `wake`: called after each decision, on any thread.
  explicit CommitsInFlight(std::function<void()> wake) : wake_(std::move(wake)) {}
  CommitsInFlight(const CommitsInFlight&) = delete;
  CommitsInFlight& operator=(const CommitsInFlight&) = delete;
  /// Waits until all are decided.
  ~CommitsInFlight();

  /// Counts one more; pass the result to CommitAsync.
  CommitCallback Begin() MR_EXCLUDES(mutex_);
  /// Takes the last Begin back: its callback will never run.
  void Cancel() MR_EXCLUDES(mutex_);

  /// How to go on, with at most `count_max` in flight. kRewind is said once. Errors: that of the
  /// transport, when the outcome of one is not known or belongs to somebody else.
  Result<Next> Check(int count_max) MR_EXCLUDES(mutex_);

 private:
  const std::function<void()> wake_;
  Mutex mutex_;
  CondVar all_decided_;
  int count_ MR_GUARDED_BY(mutex_) = 0;
  bool aborted_ MR_GUARDED_BY(mutex_) = false;
  std::optional<Error> lost_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace
