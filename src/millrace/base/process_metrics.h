#pragma once

#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/file_system.h"
#include "millrace/base/metrics.h"

namespace millrace {

/// Memory, processor time and descriptors of this process, as the system tells them.
class ProcessMetrics {
 public:
  /// Make it at the start of the process. `files`: of the machine, for /proc; outlives it.
  ProcessMetrics(FileSystem& files, const Clock& clock)
      : files_(files), start_micros_(clock.WallMicros()) {}

  static std::vector<MetricFamilyInfo> Families();
  /// Leaves out what the system does not tell.
  void Collect(MetricsWriter& writer) const;

 private:
  FileSystem& files_;
  const Micros start_micros_;
};

}  // namespace millrace
