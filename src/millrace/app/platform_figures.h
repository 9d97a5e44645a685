#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/rate_meter.h"
#include "millrace/base/metrics.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {

/// How a stream does at this moment.
struct StreamFigures {
  uint64_t offsets = 0;  ///< Retained and durable; control frames take one, too.
  uint64_t errors = 0;   ///< Records of errors$<stream>.
  double records_per_second = 0;
};

/// How a view does at this moment.
struct ViewFigures {
  uint64_t lag_rows = 0;  ///< Durable records of its source that no commit has taken in yet.
  uint64_t rows = 0;      ///< Rows it would answer with; of an append-only view, of its stream.
  double rows_per_second = 0;  ///< Read from the source.
};

/// Figures of all streams and views: for descriptions, metrics and the progress line. Has a thread
/// that looks at the counts once a second. Thread-safe.
class PlatformFigures {
 public:
  /// `platform` outlives it.
  explicit PlatformFigures(Platform& platform);
  ~PlatformFigures();

  StreamFigures Of(const StreamInfo& stream) const MR_EXCLUDES(mutex_);
  ViewFigures Of(const RunningView& view) const MR_EXCLUDES(mutex_);
  /// Over all tables, per second.
  double RecordsPerSecond() const MR_EXCLUDES(mutex_);

  /// Of views and of what stores keep; for MetricsRegistry::AddCollector.
  static std::vector<MetricFamilyInfo> Families();
  void Collect(MetricsWriter& writer) const;

 private:
  /// Of a stream, as far as it is retained.
  struct Durable {
    uint64_t offsets = 0;  ///< Control frames take one, too.
    uint64_t records = 0;
  };
  Durable DurableOf(const StreamInfo& stream) const;
  uint64_t Lag(const RunningView& view) const;
  void Note() MR_EXCLUDES(mutex_);
  void Loop() MR_EXCLUDES(mutex_);

  Platform& platform_;
  mutable Mutex mutex_;
  CondVar wakeup_;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::map<StreamId, RateMeter> streams_ MR_GUARDED_BY(mutex_);
  std::map<std::string, RateMeter, std::less<>> views_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
