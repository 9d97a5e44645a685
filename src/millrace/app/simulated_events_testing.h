#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/engine/source_partition.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

/// The events of the engine's simulation, and the answers that a plain program gives about them.
namespace millrace::simulation {

inline constexpr uint32_t kProducers = 4;

/// One table, `events`, and a view of each kind over it: per_key, per_minute, finals, shares.
const ProjectDefinition& EventsProject();

/// Records [first, first + count) of one producer as NDJSON; a pure function of its arguments.
/// Some are late, some fail in the view `shares`.
std::string EventsBody(uint64_t seed, uint32_t producer, uint64_t first, uint64_t count);

/// What the streams must hold, computed row by row from the stream of events alone.
class ExpectedAnswers {
 public:
  using Rows = std::map<std::string, int64_t>;  ///< JSON of a row, and how often it is there.

  /// Reads the whole stream of events. Returns what is wrong with the records themselves: each
  /// producer's must be there once, in order, up to a number that `counts` then holds.
  std::optional<std::string> Read(uint64_t seed, Transport& transport);

  /// Compares every stream that comes from `events`; all of it must have been read and committed.
  std::optional<std::string> Compare(Transport& transport) const;

  std::vector<uint64_t> counts = std::vector<uint64_t>(kProducers);  ///< Records by producer.

 private:
  struct Window {
    int64_t n = 0;
    int64_t total = 0;
  };

  std::optional<std::string> Take(uint64_t seed, const Batch& batch, size_t row,
                                  PartitionWatermark& watermark);
  std::optional<std::string> CompareFinals(Transport& transport) const;

  Rows per_key_;
  std::map<std::string, std::vector<int64_t>> values_;  // By key.
  std::map<std::pair<Micros, std::string>, Window> windows_;
  Rows shares_;
  int64_t late_ = 0;
  int64_t failed_ = 0;
  Micros stage_watermark_ = kMicrosMin;
};

/// The net rows of a stream: changes counted by their weights.
ExpectedAnswers::Rows NetRows(Transport& transport, const std::string& stream);

}  // namespace millrace::simulation
