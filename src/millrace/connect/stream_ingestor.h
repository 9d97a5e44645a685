#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/record_decoder.h"
#include "millrace/connect/ingest_metrics.h"
#include "millrace/connect/partition_clock.h"
#include "millrace/expr/evaluator.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/error_row.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Brings records into the stream of one table: decodes and validates them, computes generated
/// columns, chooses the partition, tracks event time, and appends good rows and error rows in one
/// epoch. Thread-safe: the slow part, Decode, runs in parallel.
class StreamIngestor {
 public:
  struct Options {
    JsonDecoderOptions json;
    /// Rows further ahead of the wall clock do not move the watermark.
    std::chrono::microseconds watermark_ahead_max = std::chrono::hours(24);
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);
    /// False: the table's source calls Control, and Tick only says that there is nothing at all.
    bool idle_by_timeout = true;
    /// Columns that nobody reads: they are NULL, whatever the records say. Never generated ones.
    std::vector<size_t> unread;
    IngestMetrics metrics;
  };

  /// The stream of a table, as it is to be.
  static StreamDefinition StreamOf(const TableDefinition& table);

  /// Creates the streams of the table and errors$<table> when missing. Errors: kStreamExists when
  /// the table has another definition than the stored stream.
  static Result<std::unique_ptr<StreamIngestor>> Open(const TableDefinition& table,
                                                      Transport& transport, const Clock& clock,
                                                      Options options);

  /// Decoded records, not yet in the stream.
  struct Decoded {
    BatchPtr rows;                    ///< Of the table's schema; null when no record was good.
    std::vector<RecordError> errors;  ///< Originals lie in `body` or in `made_originals`.
    BufferPtr body;                   ///< Null when the rows were decoded from nothing.
    /// Rows without bytes of their own, as JSON.
    std::deque<std::string> made_originals;
    size_t accepted = 0;
    size_t lost = 0;  ///< For the table is full; `errors` has one for all of them, kTableFull.

    size_t refused() const { return errors.size() - (lost > 0 ? 1 : 0); }
    /// Puts the header of their file in front of the originals of all errors: without it they
    /// cannot be read again. A byte order mark is left out; an empty header changes nothing.
    void AddHeader(std::string_view header);
  };

  /// Decodes a body of JSON. `body` has json::kPaddingBytes readable bytes behind its end.
  Decoded Decode(const BufferPtr& body, JsonFraming framing);

  /// Computes generated columns of what another decoder has read from `body`, or of rows that come
  /// from nowhere; their schema is declared_schema().
  Decoded Complete(const BufferPtr& body, DecodedRecords records) const;

  /// What a source says about records that it commits.
  struct Placement {
    /// Where all rows go; nothing: by partition_by, else to one partition in turn.
    std::optional<PartitionId> partition;
    /// Rows behind it do not move the watermark, for another split of the partition is further back
    /// (design section 6, "Time").
    Micros watermark_limit = kMicrosMax;
    /// What the source promises before these rows (PartitionClock::Raise); kMicrosMin = nothing.
    Micros watermark_before = kMicrosMin;
    /// They come beside the table's source: a partition that was idle is so again behind them.
    bool rests = false;
  };

  /// Adds the records to an epoch and commits it. `extend` may add to the epoch what must be
  /// durable with the records (source positions, an idempotency key); it gets the partitions they
  /// go to. The callback runs on a thread of the transport. Errors (kDiskFull, kTableFull) come at
  /// once, and nothing is appended then.
  using Extend = std::function<void(EpochWriter&, const std::vector<PartitionId>&)>;
  Status Commit(const Decoded& decoded, const Placement& placement, const Extend& extend,
                CommitCallback callback) MR_EXCLUDES(mutex_);

  /// One change of a partition's watermark that a source decides.
  struct PartitionChange {
    PartitionId partition;
    ControlFrame::Kind kind = ControlFrame::Kind::kIdle;
    Micros max_event_time = kMicrosMin;  ///< kWatermark only: see PartitionClock::Raise.
  };
  /// Commits what of `changes` is not so already, with what `extend` adds. Without either nothing
  /// happens, and false is returned: there is no callback then. Errors as in Commit.
  Result<bool> Control(std::span<const PartitionChange> changes, const Extend& extend,
                       CommitCallback callback) MR_EXCLUDES(mutex_);

  /// Event times of rows as Commit sees them without other splits; all empty for a table without
  /// event time.
  EventTimes TimesOf(const Batch& rows, Micros watermark_limit = kMicrosMax) const;

  /// Writes idle frames for partitions without records, and for a table that has never had any;
  /// call about once a second.
  void Tick() MR_EXCLUDES(mutex_);

  /// The table has its retention_bytes, and nothing may go: from now on records are turned away, or
  /// lost, as its on_full says; until it is not full.
  void SetFull(bool is_full) { is_full_ = is_full; }
  bool is_full() const { return is_full_; }

  const TableDefinition& table() const { return table_; }
  StreamId stream() const { return stream_; }
  const Options& options() const { return options_; }
  /// The columns that records carry: without generated ones.
  const SchemaPtr& declared_schema() const { return declared_schema_; }

 private:
  StreamIngestor(const TableDefinition& table, Transport& transport, const Clock& clock,
                 const Options& options);

  Status OpenStreams();
  Status RestoreClock() MR_REQUIRES(mutex_);
  /// Takes the clock back to the log after an abort.
  Status RefreshClock() MR_REQUIRES(mutex_);
  CommitCallback NotingAborts(CommitCallback callback);
  std::unique_ptr<JsonDecoder> TakeDecoder(JsonFraming framing) MR_EXCLUDES(decoders_mutex_);
  void GiveBack(JsonFraming framing, std::unique_ptr<JsonDecoder> decoder)
      MR_EXCLUDES(decoders_mutex_);
  BatchPtr Generate(DecodedRecords& records, Decoded& decoded) const;
  void AddMissing(const Batch& rows, RowErrors& errors) const;
  void LoseRows(Decoded& decoded) const;
  static BatchPtr Refuse(const Batch& rows, std::span<const RowError> failed,
                         DecodedRecords& records, Decoded& decoded);
  struct Piece {
    PartitionId partition;
    BatchPtr rows;
    EventTimes times;
  };
  std::vector<Piece> Partition(const BatchPtr& rows, const Placement& placement);
  std::vector<Piece> PiecesOf(const BatchPtr& rows, const Placement& placement);
  /// The epoch of what is decoded, without control frames.
  std::unique_ptr<EpochWriter> Encode(const Decoded& decoded, std::span<const Piece> pieces,
                                      const Extend& extend) const;
  Status CheckRoom(const Decoded& decoded) const;
  // Of a table with proctime().
  bool HasProctimeWatermark() const;
  /// The wall clock; never goes back, not even behind the log.
  Micros Proctime();
  void SetProctime(Piece& piece);
  /// Whether pieces were so long under way that their rows would be late.
  bool IsBehindProctime(std::span<const Piece> pieces) MR_REQUIRES(mutex_);
  /// Each second while records come, then ever more seldom.
  bool IsTimeToRaise(std::chrono::nanoseconds now) MR_REQUIRES(mutex_);
  void AppendErrors(const Decoded& decoded, EpochWriter& writer) const;

  const TableDefinition table_;
  Transport& transport_;
  const Clock& clock_;
  const Options options_;
  SchemaPtr declared_schema_;             // Without generated columns.
  std::vector<size_t> declared_columns_;  // Index in the table's schema.
  std::vector<size_t> other_columns_;     // Generated, or not read.
  std::vector<size_t> computed_;          // Those of generated_, in its order.
  std::optional<Evaluator> generated_;
  StreamId stream_;
  StreamId errors_;
  std::atomic<uint32_t> next_partition_{0};
  std::atomic<bool> is_full_{false};
  std::atomic<Micros> proctime_{kMicrosMin};

  Mutex decoders_mutex_;
  std::vector<std::unique_ptr<JsonDecoder>> decoders_[2] MR_GUARDED_BY(decoders_mutex_);

  /// Held over CommitAsync, so that the clock sees appends in log order.
  Mutex mutex_;
  PartitionClock partitions_ MR_GUARDED_BY(mutex_);
  bool appended_since_raise_ MR_GUARDED_BY(mutex_) = false;
  std::chrono::nanoseconds raise_pause_ MR_GUARDED_BY(mutex_){0};
  std::chrono::nanoseconds next_raise_ MR_GUARDED_BY(mutex_){0};
  /// The clock has seen appends that were then aborted.
  std::atomic<bool> clock_ahead_{false};
};

}  // namespace millrace
