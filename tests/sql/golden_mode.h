#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/stream/transport.h"

namespace millrace::golden {

/// How a golden file is run. The answers must be the same in every mode.
struct Mode {
  std::string name;
  /// Rows an operator takes at once. 1 also makes every frame an epoch, and every record of a table
  /// with one partition a request.
  size_t batch_rows = 4096;
  int workers = 1;
  bool on_disk = false;   ///< Embedded transport on a simulated disk, else in memory.
  bool restarts = false;  ///< The program ends and starts again after every directive.
  double aborted = 0;     ///< Probability that a commit is aborted.
  double unknown = 0;     ///< Probability that the transport fails with a commit.
  bool crashes = false;   ///< The machine crashes between and within directives.
  uint64_t seed = 0;
};

/// For the names of failed tests.
inline std::ostream& operator<<(std::ostream& out, const Mode& mode) { return out << mode.name; }

std::vector<Mode> AllModes();

/// The transport under a golden project and the faults of a mode. One thread.
class Stage {
 public:
  static std::unique_ptr<Stage> Make(const Mode& mode, const Clock& clock);
  virtual ~Stage() = default;

  virtual Transport& transport() = 0;
  /// Decides some commits. Returns false when none waits.
  virtual bool Pump() = 0;
  /// From now on faults may happen, or no longer.
  virtual void Arm(bool armed) = 0;
  /// True when a fault has ended this life: everything must be let go, and then Restart.
  virtual bool ended() const = 0;
  /// Ends this life, if it has not ended, and begins the next over what is durable. Nothing may use
  /// the transport of before, and all its callbacks have run.
  virtual void Restart() = 0;
};

}  // namespace millrace::golden
