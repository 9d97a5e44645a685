#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/base/rng.h"
#include "millrace/stream/transport.h"

namespace millrace::simulation {

/// The reader whose position, the number of epochs so far, every epoch sets: it says after a crash
/// which prefix of the epochs has survived.
inline constexpr std::string_view kProgressReader = "progress";

StreamDefinition DefinitionOf(const std::string& stream);

/// A partition by the name of its stream.
using PartitionName = std::pair<std::string, uint32_t>;

/// One frame of the workload. Its content follows from `value`.
struct PlannedFrame {
  PartitionName at;
  int64_t value = 0;
  uint32_t rows = 0;   ///< 0: an opaque frame of `bytes` bytes.
  uint32_t bytes = 0;  ///< Of an opaque frame, or of the text of each row.
  EventTimes times;

  uint32_t count() const { return rows == 0 ? 1 : rows; }
};

/// One epoch of the workload.
struct PlannedEpoch {
  std::vector<PlannedFrame> frames;
  std::vector<std::pair<PartitionName, Offset>> positions;  ///< Of the reader "reader".
  std::vector<std::pair<std::string, std::string>> splits;  ///< Of the source "source".
  std::vector<std::pair<PartitionName, Offset>> trims;

  void SubmitTo(Transport& transport, size_t number, CommitCallback callback) const;
};

/// The oracle: what a transport holds after a number of epochs, computed one after the other.
struct ExpectedState {
  struct Frame {
    Offset begin;
    PlannedFrame frame;
    Micros max_event_time_before = kMicrosMin;
  };
  struct Partition {
    Offset begin;
    Offset end;
    Micros max_event_time = kMicrosMin;
    std::vector<Frame> frames;
  };
  std::map<PartitionName, Partition> partitions;
  std::map<PartitionName, Offset> positions;
  std::map<std::string, std::string> splits;
  size_t epochs_count = 0;

  void AddStream(const std::string& name);
  /// Returns the offsets that the epoch's frames get, in order.
  std::vector<std::pair<Offset, Offset>> Apply(const PlannedEpoch& epoch);

  /// Compares all that is durable in `transport`; with `damaged`, reading may also end with
  /// kCorruption. Returns what differs.
  std::optional<std::string> Compare(Transport& transport, bool damaged) const;
  /// Reads one partition from `from` on, as far as `visibility` goes.
  std::optional<std::string> CompareFrames(Transport& transport, const PartitionName& at,
                                           Offset from, Visibility visibility, bool damaged) const;
};

/// Makes a random epoch that fits `state`.
PlannedEpoch MakeEpoch(Rng& rng, const ExpectedState& state);

}  // namespace millrace::simulation
