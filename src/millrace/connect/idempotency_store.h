#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/connect/idempotency_metrics.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Remembers requests by their Idempotency-Key
/// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/), so that a request
/// that is sent again is answered again and not taken again. What it remembers is in the stream
/// idempotency$, in the same commit as the request's records. Bounded by age and number.
/// Thread-safe.
class IdempotencyStore {
 public:
  static constexpr Micros kAgeMax = 24 * 3600 * Micros{1'000'000};
  static constexpr size_t kEntriesMax = 500'000;

  /// A key counts within its scope: who sent it, and to which stream.
  using Key = std::tuple<std::string, std::string, std::string>;  // token, stream, key

  struct Answer {
    uint64_t accepted = 0;
    uint64_t errors_count = 0;
    struct RecordError {
      uint64_t index;
      ErrorCode code;
      std::string message;
    };
    std::vector<RecordError> errors;
    /// Where the records end. After a restart: an end of the partition behind them.
    std::vector<std::pair<PartitionId, Offset>> positions;
  };
  using AnswerPtr = std::shared_ptr<const Answer>;
  using Waiter = std::function<void(Result<AnswerPtr>)>;

  /// Creates or reads the stream.
  static Result<std::unique_ptr<IdempotencyStore>> Open(Transport& transport, const Clock& clock,
                                                        const IdempotencyMetrics& metrics = {});

  /// Asks what to do with a request whose body has this hash. True: it is new; the caller takes it,
  /// with AddTo in its epoch, and must call Finish. False: `waiter` has been or will be called,
  /// with the first request's answer, or with kIdempotencyKeyReused when the body was another.
  bool Begin(const Key& key, uint64_t body_hash, Waiter waiter) MR_EXCLUDES(mutex_);

  /// Adds the request to the epoch that holds its records; positions need not be known.
  void AddTo(EpochWriter& writer, const Key& key, uint64_t body_hash, const Answer& answer,
             const std::vector<PartitionId>& partitions) MR_EXCLUDES(mutex_);

  /// Ends what Begin began: with the answer of the committed epoch, or a failure that took nothing.
  /// `offset` is the place of AddTo's frame.
  void Finish(const Key& key, Result<AnswerPtr> answer, Offset offset) MR_EXCLUDES(mutex_);

  StreamId stream() const { return stream_; }
  size_t size() MR_EXCLUDES(mutex_);

 private:
  struct Entry {
    uint64_t body_hash = 0;
    AnswerPtr answer;  // Null while the request is in flight.
    std::vector<Waiter> waiters;
  };
  struct Aging {
    Micros time;
    Offset offset;
    Key key;
  };

  IdempotencyStore(Transport& transport, const Clock& clock, const IdempotencyMetrics& metrics)
      : transport_(transport), clock_(clock), metrics_(metrics) {}

  Status Restore();
  Status RestoreFrame(const StreamFrame& frame) MR_REQUIRES(mutex_);
  void Forget() MR_REQUIRES(mutex_);
  void ReportKeys() MR_REQUIRES(mutex_);

  Transport& transport_;
  const Clock& clock_;
  const IdempotencyMetrics metrics_;
  StreamId stream_;
  Mutex mutex_;
  std::map<Key, Entry> entries_ MR_GUARDED_BY(mutex_);
  std::deque<Aging> aging_ MR_GUARDED_BY(mutex_);  // Oldest first; answered ones only.
  Offset trim_ MR_GUARDED_BY(mutex_);
  Offset trimmed_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace
