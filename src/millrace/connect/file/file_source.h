#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/connect/commits_in_flight.h"
#include "millrace/connect/file/block_decoding.h"
#include "millrace/connect/file/file_options.h"
#include "millrace/connect/file/split_set.h"
#include "millrace/connect/file/split_watermarks.h"
#include "millrace/connect/source.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// Reads files into the stream of one table, each record once (docs/connectors/file.md).
///
/// Every file is a split with its own position and watermark. A block of lines and the position
/// behind it are one epoch; a few epochs are in flight. The split that is furthest behind in event
/// time is read next, and rows that are ahead of another split of the same partition do not move
/// its watermark. What cannot be read becomes an error row or, where it may change, is tried again;
/// all else goes on.
class FileSource final : public Source {
 public:
  struct Limits {
    size_t block_bytes = size_t{512} << 10;
    int commits_in_flight_max = 8;
    size_t readers_max = 128;     ///< Open files.
    size_t decoder_threads = 0;   ///< Beside the caller's.
    size_t blocks_ahead_max = 6;  ///< Read and not committed, while threads may decode them.
  };

  /// Of a table that is not stored: they wait for the pipeline's epochs, which are to be large.
  static constexpr int kDirectCommitsInFlightMax = 128;

  /// Errors: those of Check; kSourceChanged when a bounded input that has ended is to be followed.
  static Result<std::unique_ptr<FileSource>> Open(const FileOptions& options,
                                                  const SourceContext& context, Limits limits);
  /// Tells before the start what would fail: nothing matches a bounded input's path
  /// (kSourceUnavailable), or it is a directory, or cannot be opened.
  static Status Check(const FileOptions& options, const std::string& project_dir,
                      FileSystem& files);

  Result<std::chrono::nanoseconds> Step() override MR_EXCLUDES(mutex_);
  SourceStatus status() const override MR_EXCLUDES(mutex_);

 private:
  using Nanos = std::chrono::nanoseconds;

  /// A decoded block whose commit waits, for disk space.
  struct Pending {
    StreamIngestor::Decoded decoded;
    StreamIngestor::Placement placement;
    std::string split;
    std::string position;
    std::string error_bytes;  ///< What an error of `decoded` refers to.
  };

  FileSource(const FileOptions& options, const SourceContext& context, Limits limits,
             std::vector<std::unique_ptr<RecordDecoder>> decoders);

  Result<Nanos> TakeStep() MR_EXCLUDES(mutex_);
  Status Restore();
  Status Discover(Nanos now);
  FileSplit* FurthestBehind(Nanos now) const;
  void LimitReaders(const FileSplit& used);

  Result<Nanos> ReadBlock(FileSplit& split, Nanos now);
  void ReadAhead(FileSplit& split);
  size_t BlocksAhead() const;
  void Prepare(FileSplit& split, const RecordBlock& block, BlockDecoding& decoding);
  void Decode(FileSplit& split, const BlockAhead& next);
  static void Explain(const FileSplit& split, const RecordBlock& block,
                      std::vector<RecordError>& errors);
  Result<Nanos> AtEnd(FileSplit& split, Nanos now);
  Result<Nanos> Failed(FileSplit& split, const Error& error, Nanos now);
  void GiveUp(FileSplit& split, const Error& error);
  SplitWatermarks watermarks() const;

  Result<Nanos> CommitPending();
  /// Returns whether anything was to be committed.
  Result<bool> CommitChanges(const SplitWatermarks::Changes& changes,
                             const StreamIngestor::Extend& extend);
  bool MarkIdle(Nanos now);
  Result<bool> SettleWatermarks();
  Result<Nanos> Rest(Nanos now);
  void PublishStatus() MR_EXCLUDES(mutex_);

  const FileOptions options_;
  const SourceContext context_;
  StreamIngestor& ingestor_;
  const Limits limits_;
  const std::string name_;  // Among the transport's sources.
  BlockDecoders decoders_;
  SplitSet splits_;
  std::optional<Pending> pending_;
  Nanos next_discovery_{0};
  bool activation_due_ = true;
  bool settling_due_ = false;
  bool ended_ = false;
  bool resting_ = false;
  std::optional<Error> error_;
  uint64_t bytes_read_ = 0;
  uint64_t records_count_ = 0;
  uint64_t errors_count_ = 0;

  mutable Mutex mutex_;
  SourceStatus status_ MR_GUARDED_BY(mutex_);
  CommitsInFlight commits_;  // Last: it waits for its callbacks before all else goes.
};

}  // namespace millrace
