#pragma once

#include <functional>
#include <memory>
#include <string>

#include "millrace/base/clock.h"
#include "millrace/base/file_system.h"
#include "millrace/stream/embedded/embedded_metrics.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The transport on one machine's files (design section 5, "Embedded transport"): epochs become
/// durable in rounds, one journal write and one sync each. ADR 0003 and 0004.
///
/// Owns the data directory until destruction. Two threads, unless `manual`: the committer, on which
/// commit callbacks run, and the copier.
class EmbeddedTransport final : public Transport {
 public:
  struct Options {
    uint64_t journal_file_bytes = 16 << 20;
    uint64_t segment_bytes = 256 << 20;
    uint64_t direct_bytes_min = 256 << 10;  ///< See Committer::Options.
    uint64_t round_bytes_max = 32 << 20;
    /// Decoded frames kept in memory for readers, oldest given up first.
    size_t cache_bytes_max = size_t{256} << 20;
    EmbeddedMetrics metrics;
    /// No threads: the owner calls RunRound and RunCopier. For simulation.
    bool manual = false;
    /// Called once when the transport has failed and no later acknowledgement may be given; must
    /// end the process, except in simulation.
    std::function<void(const Error&)> on_fatal;
  };

  /// Opens or creates the directory and recovers what it holds. Errors: kDataDirLocked,
  /// kFormatTooNew, kCorruption, kDiskFull, kIoError.
  static Result<std::unique_ptr<EmbeddedTransport>> Open(FileSystem& files, const Clock& clock,
                                                         const std::string& path, Options options);

  /// Commits what is queued, then stops the threads.
  ~EmbeddedTransport() override;

  Result<StreamId> CreateStream(const StreamDefinition& definition) override;
  Status ChangeStreams(const StreamChanges& changes) override;
  std::optional<StreamInfo> FindStream(std::string_view name) override;
  std::vector<StreamInfo> Streams() override;
  PartitionInfo Describe(StreamId stream, PartitionId partition) override;
  Offset OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end) override;
  std::unique_ptr<EpochWriter> BeginEpoch() override;
  std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                     Visibility visibility) override;
  Positions ReaderPositions(std::string_view reader) override;
  SourcePositions ReadSourcePositions(std::string_view source) override;
  SubscriptionId Subscribe(StreamId stream, Visibility visibility,
                           std::function<void()> notify) override;
  void Unsubscribe(SubscriptionId subscription) override;
  bool disk_full() const override;

  /// Manual mode: one round; true when something was committed.
  bool RunRound();
  /// Manual mode: one step of the copier; true when something was queued.
  bool RunCopier();

  /// Rounds written since opening.
  uint64_t rounds() const;
  /// After a failure every commit is kUnknown; only a restart helps.
  bool failed() const;

 private:
  class Impl;
  explicit EmbeddedTransport(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
