#pragma once

#include <memory>
#include <vector>

#include "millrace/connect/file/split_set.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// What the splits of a source mean for the watermarks of its partitions (design section 6,
/// "Time"): a partition that several files go to must not be moved by one of them past another.
/// A split that holds (FileSplit::holds) promises nothing beyond its own largest event time.
class SplitWatermarks {
 public:
  using Splits = std::vector<std::unique_ptr<FileSplit>>;
  using Changes = std::vector<StreamIngestor::PartitionChange>;

  /// `shared`: rows of every split may go to every partition. `splits` outlives this.
  SplitWatermarks(const Splits& splits, uint32_t partitions, bool shared)
      : splits_(splits), partitions_(partitions), shared_(shared) {}

  /// Up to which event time rows of `split` may move the watermark.
  Micros Limit(const FileSplit& split) const;

  /// What is promised of a partition: no row to come is older. kMicrosMin: nothing.
  Micros Promise(uint32_t partition) const;

  /// Partitions that rows are still to come to: they hold back the stream's watermark from now on.
  Changes Activations() const;
  /// How far each partition's watermark may be moved without a record.
  Changes Raises() const;
  /// Partitions whose splits hold nothing back.
  Changes Idles() const;
  Changes Ends() const;

 private:
  bool GoesTo(const FileSplit& split, uint32_t partition) const {
    return shared_ || split.position.partition == partition;
  }
  bool AnyHolds(uint32_t partition) const;

  const Splits& splits_;
  const uint32_t partitions_;
  const bool shared_;
};

}  // namespace millrace
