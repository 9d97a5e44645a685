#include "millrace/connect/stream_ingestor.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "millrace/codec/json_encoder.h"
#include "millrace/data/encoded_keys.h"
#include "millrace/data/row_encoding.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

StreamIngestor::StreamIngestor(const TableDefinition& table, Transport& transport,
                               const Clock& clock, const Options& options)
    : table_(table),
      transport_(transport),
      clock_(clock),
      options_(options),
      partitions_(table.partitions, table.watermark_delay) {
  std::vector<Field> fields;
  for (size_t i = 0; i < table_.schema->size(); ++i) {
    const bool is_generated =
        std::ranges::find(table_.generated, i, &GeneratedColumn::column) != table_.generated.end();
    if (is_generated || std::ranges::find(options_.unread, i) != options_.unread.end()) {
      other_columns_.push_back(i);
    } else {
      declared_columns_.push_back(i);
      fields.push_back(table_.schema->field(i));
    }
  }
  declared_schema_ = MakeSchema(std::move(fields));
  std::vector<ExpressionPtr> expressions;
  expressions.reserve(table_.generated.size());
  for (const GeneratedColumn& generated : table_.generated) {
    if (generated.expression != nullptr) {
      computed_.push_back(generated.column);
      expressions.push_back(generated.expression);
    }
  }
  if (!expressions.empty()) {
    generated_.emplace(std::move(expressions));
  }
}

Result<std::unique_ptr<StreamIngestor>> StreamIngestor::Open(const TableDefinition& table,
                                                             Transport& transport,
                                                             const Clock& clock, Options options) {
  options.json.keep_originals = !table.generated.empty();
  std::unique_ptr<StreamIngestor> ingestor(new StreamIngestor(table, transport, clock, options));
  MR_TRY(ingestor->OpenStreams());
  MutexLock lock(ingestor->mutex_);
  MR_TRY(ingestor->RestoreClock());
  return ingestor;
}

StreamDefinition StreamIngestor::StreamOf(const TableDefinition& table) {
  StreamDefinition definition{.name = table.name,
                              .partitions = table.partitions,
                              .schema = table.schema,
                              .properties = {{"kind", "table"}}};
  if (table.is_direct) {
    SetDirect(definition);
  }
  if (table.event_time) {
    definition.properties["event_time"] = table.schema->field(*table.event_time).name;
  }
  return definition;
}

Status StreamIngestor::OpenStreams() {
  MR_ASSIGN(stream_, transport_.CreateStream(StreamOf(table_)));
  MR_ASSIGN(errors_, transport_.CreateStream({.name = "errors$" + table_.name,
                                              .partitions = 1,
                                              .schema = ErrorRowSchema(),
                                              .properties = {{"kind", "errors"}}}));
  return {};
}

Status StreamIngestor::RestoreClock() {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  for (uint32_t p = 0; p < table_.partitions; ++p) {
    const PartitionInfo info = transport_.Describe(stream_, PartitionId(p));
    if (HasProctimeWatermark()) {
      proctime_ = std::max(proctime_.load(), info.max_event_time);
    }
    if (info.durable_end == info.begin) {
      partitions_.Restore(p, info, nullptr, now);
      continue;
    }
    const auto cursor = transport_.OpenCursor(
        stream_, PartitionId(p), Offset(info.durable_end.value() - 1), Visibility::kDurable);
    MR_ASSIGN(const auto frames, cursor->Poll(1));
    partitions_.Restore(p, info, frames.empty() ? nullptr : &frames.back(), now);
  }
  return {};
}

Status StreamIngestor::RefreshClock() {
  if (!clock_ahead_.exchange(false)) {
    return {};
  }
  auto restored = RestoreClock();
  if (!restored) {
    clock_ahead_ = true;
  }
  return restored;
}

CommitCallback StreamIngestor::NotingAborts(CommitCallback callback) {
  return [this, callback = std::move(callback)](const CommitResult& result) {
    if (result.outcome == CommitOutcome::kAborted) {
      clock_ahead_ = true;
    }
    if (callback) {
      callback(result);
    }
  };
}

std::unique_ptr<JsonDecoder> StreamIngestor::TakeDecoder(JsonFraming framing) {
  {
    MutexLock lock(decoders_mutex_);
    auto& free = decoders_[static_cast<size_t>(framing)];
    if (!free.empty()) {
      auto decoder = std::move(free.back());
      free.pop_back();
      return decoder;
    }
  }
  JsonDecoderOptions json = options_.json;
  json.framing = framing;
  return std::make_unique<JsonDecoder>(declared_schema_, json);
}

void StreamIngestor::GiveBack(JsonFraming framing, std::unique_ptr<JsonDecoder> decoder) {
  MutexLock lock(decoders_mutex_);
  decoders_[static_cast<size_t>(framing)].push_back(std::move(decoder));
}

StreamIngestor::Decoded StreamIngestor::Decode(const BufferPtr& body, JsonFraming framing) {
  auto decoder = TakeDecoder(framing);
  DecodedRecords records;
  decoder->Decode(body, records);
  GiveBack(framing, std::move(decoder));
  return Complete(body, std::move(records));
}

StreamIngestor::Decoded StreamIngestor::Complete(const BufferPtr& body,
                                                 DecodedRecords records) const {
  Decoded decoded{.rows = nullptr, .errors = {}, .body = body, .made_originals = {}};
  if (records.batch != nullptr && records.batch->rows() > 0) {
    decoded.rows = Generate(records, decoded);
  }
  decoded.errors = std::move(records.errors);
  if (decoded.rows != nullptr && is_full_ && table_.on_full == OnFull::kDrop) {
    LoseRows(decoded);
  }
  decoded.accepted = decoded.rows == nullptr ? 0 : decoded.rows->rows();
  return decoded;
}

void StreamIngestor::Decoded::AddHeader(std::string_view header) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (header.starts_with(kByteOrderMark)) {
    header.remove_prefix(kByteOrderMark.size());
  }
  for (RecordError& error : errors) {
    if (!header.empty() && !error.original.empty()) {
      made_originals.push_back(fmt::format("{}{}", header, error.original));
      error.original = made_originals.back();
    }
  }
}

void StreamIngestor::LoseRows(Decoded& decoded) const {
  decoded.lost = decoded.rows->rows();
  decoded.rows = nullptr;
  decoded.errors.push_back({.record = 0,
                            .code = ErrorCode::kTableFull,
                            .message = fmt::format("{} records are lost: {}", decoded.lost,
                                                   Describe(ErrorCode::kTableFull).meaning),
                            .original = {}});
}

BatchPtr StreamIngestor::Generate(DecodedRecords& records, Decoded& decoded) const {
  const BatchPtr declared = records.batch;
  const auto place = [&](const Batch& from, std::vector<Column>& columns) {
    for (size_t i = 0; i < declared_columns_.size(); ++i) {
      columns[declared_columns_[i]] = from.column(i);
    }
  };
  std::vector<Column> columns(table_.schema->size());
  place(*declared, columns);
  for (const size_t other : other_columns_) {
    columns[other] = NullColumn(table_.schema->field(other).type, declared->rows());
  }
  if (!generated_) {
    return Batch::Make(table_.schema, std::move(columns), declared->rows());
  }
  const BatchPtr input = Batch::Make(table_.schema, columns, declared->rows());
  RowErrors errors;
  std::vector<Column> values = generated_->EvaluateAll(*input, errors);
  for (size_t i = 0; i < values.size(); ++i) {
    columns[computed_[i]] = std::move(values[i]);
  }
  BatchPtr rows = Batch::Make(table_.schema, std::move(columns), declared->rows());
  AddMissing(*rows, errors);
  const std::vector<RowError> failed = errors.Take();
  return failed.empty() ? rows : Refuse(*rows, failed, records, decoded);
}

void StreamIngestor::AddMissing(const Batch& rows, RowErrors& errors) const {
  for (const size_t computed : computed_) {
    const Field& field = table_.schema->field(computed);
    const Column& column = rows.column(computed);
    for (uint32_t row = 0; !field.nullable && column.may_have_nulls() && row < rows.rows(); ++row) {
      if (column.IsNull(row)) {
        errors.Add(row, ErrorCode::kRecordMissingColumn,
                   fmt::format("a NOT NULL column is null: {}", field.name));
      }
    }
  }
}

BatchPtr StreamIngestor::Refuse(const Batch& rows, std::span<const RowError> failed,
                                DecodedRecords& records, Decoded& decoded) {
  const RowJsonWriter writer(records.batch->schema());
  const auto original = [&](uint32_t row) -> std::string_view {
    if (row < records.originals.size()) {
      return records.originals[row];
    }
    writer.Append(*records.batch, row, decoded.made_originals.emplace_back());
    return decoded.made_originals.back();
  };
  // Records that were refused while decoding have no row: count them in to find each record.
  std::vector<uint32_t> kept;
  std::vector<RecordError> merged;
  size_t refused = 0;
  size_t next_failed = 0;
  for (uint32_t row = 0; row < rows.rows(); ++row) {
    while (refused < records.errors.size() && records.errors[refused].record <= row + refused) {
      ++refused;
    }
    if (next_failed == failed.size() || failed[next_failed].row != row) {
      kept.push_back(row);
      continue;
    }
    const RowError& error = failed[next_failed++];
    merged.push_back(
        {.record = row + refused,
         .code = ErrorCode::kGeneratedColumnFailed,
         .message = fmt::format("{}: MR{} {}", Describe(ErrorCode::kGeneratedColumnFailed).meaning,
                                static_cast<int>(error.code), error.message),
         .original = original(row)});
  }
  records.errors.insert(records.errors.end(), merged.begin(), merged.end());
  std::ranges::sort(records.errors, {}, &RecordError::record);
  return kept.empty() ? nullptr : GatherRows(rows, kept);
}

EventTimes StreamIngestor::TimesOf(const Batch& rows, Micros watermark_limit) const {
  const Micros now = clock_.WallMicros();
  if (!table_.event_time) {
    return {.append_time = now};
  }
  return EventTimesOf(rows.column(*table_.event_time), now,
                      std::min(watermark_limit, now + options_.watermark_ahead_max.count()));
}

std::vector<StreamIngestor::Piece> StreamIngestor::PiecesOf(const BatchPtr& rows,
                                                            const Placement& placement) {
  std::vector<Piece> pieces = Partition(rows, placement);
  for (Piece& piece : pieces) {
    if (table_.proctime) {
      SetProctime(piece);
    }
  }
  return pieces;
}

std::vector<StreamIngestor::Piece> StreamIngestor::Partition(const BatchPtr& rows,
                                                             const Placement& placement) {
  const Micros limit = placement.watermark_limit;
  if (placement.partition) {
    return {{*placement.partition, rows, TimesOf(*rows, limit)}};
  }
  if (table_.partition_by.empty()) {
    const uint32_t next = next_partition_.fetch_add(1, std::memory_order_relaxed);
    return {{PartitionId(next % table_.partitions), rows, TimesOf(*rows, limit)}};
  }
  EncodedKeys keys;
  keys.Encode(*rows, table_.partition_by);
  std::vector<std::vector<uint32_t>> members(table_.partitions);
  for (uint32_t row = 0; row < rows->rows(); ++row) {
    members[PartitionOfHash(HashEncoded(keys.key(row)), table_.partitions)].push_back(row);
  }
  std::vector<Piece> pieces;
  for (uint32_t p = 0; p < members.size(); ++p) {
    if (!members[p].empty()) {
      BatchPtr part = GatherRows(*rows, members[p]);
      const EventTimes times = TimesOf(*part, limit);
      pieces.push_back({PartitionId(p), std::move(part), times});
    }
  }
  return pieces;
}

Status StreamIngestor::CheckRoom(const Decoded& decoded) const {
  if (transport_.disk_full()) {
    return Err(ErrorCode::kDiskFull, "the data directory's disk is full");
  }
  if (decoded.rows != nullptr && is_full_ && table_.on_full == OnFull::kPause) {
    return std::unexpected(
        Error(ErrorCode::kTableFull,
              fmt::format("table {} is full: it has its retention_bytes, and its views and sinks "
                          "have still to read all of them",
                          table_.name))
            .WithHint("try again later"));
  }
  return {};
}

std::unique_ptr<EpochWriter> StreamIngestor::Encode(const Decoded& decoded,
                                                    std::span<const Piece> pieces,
                                                    const Extend& extend) const {
  auto writer = transport_.BeginEpoch();
  std::vector<PartitionId> used;
  for (const Piece& piece : pieces) {
    writer->Append(stream_, piece.partition, piece.rows, piece.times);
    used.push_back(piece.partition);
  }
  AppendErrors(decoded, *writer);
  if (extend) {
    extend(*writer, used);
  }
  return writer;
}

Status StreamIngestor::Commit(const Decoded& decoded, const Placement& placement,
                              const Extend& extend, CommitCallback callback) {
  MR_TRY(CheckRoom(decoded));
  std::vector<Piece> pieces;
  if (decoded.rows != nullptr) {
    pieces = PiecesOf(decoded.rows, placement);
  }
  // Encoding is slow and needs no lock; only control frames and the commit do.
  auto writer = Encode(decoded, pieces, extend);
  options_.metrics.requests.Add();
  options_.metrics.accepted.Add(static_cast<double>(decoded.accepted));
  options_.metrics.refused.Add(static_cast<double>(decoded.refused()));
  options_.metrics.lost.Add(static_cast<double>(decoded.lost));
  options_.metrics.bytes.Add(decoded.body == nullptr ? 0
                                                     : static_cast<double>(decoded.body->size()));
  MutexLock lock(mutex_);
  MR_TRY(RefreshClock());
  if (IsBehindProctime(pieces)) {
    for (Piece& piece : pieces) {
      SetProctime(piece);
    }
    writer = Encode(decoded, pieces, extend);
  }
  for (const Piece& piece : pieces) {
    const uint32_t p = piece.partition.value();
    const auto active = partitions_.Append(p, piece.times.max, clock_.Monotonic());
    const auto raised = partitions_.Raise(p, placement.watermark_before);
    for (const auto& control : {raised, active}) {  // In the end `active` is in front.
      if (control) {
        writer->PrependControl(stream_, piece.partition, *control,
                               partitions_.EventTimeOf(*control));
      }
    }
    if (active && placement.rests) {
      if (const auto idle = partitions_.SetIdle(p)) {
        writer->AppendOpaque(stream_, piece.partition, FrameType::kControl, idle->Encode());
      }
    }
  }
  appended_since_raise_ = true;
  writer->CommitAsync(NotingAborts(std::move(callback)));
  return {};
}

bool StreamIngestor::HasProctimeWatermark() const {
  return table_.proctime && table_.event_time == table_.proctime;
}

bool StreamIngestor::IsTimeToRaise(std::chrono::nanoseconds now) {
  constexpr std::chrono::nanoseconds kPauseMin = std::chrono::seconds(1);
  constexpr std::chrono::nanoseconds kPauseMax = std::chrono::minutes(1);
  if (std::exchange(appended_since_raise_, false)) {
    next_raise_ = std::min(next_raise_, now + kPauseMin);
    raise_pause_ = kPauseMin;
  }
  if (now < next_raise_) {
    return false;
  }
  next_raise_ = now + raise_pause_;
  raise_pause_ = std::clamp(2 * raise_pause_, kPauseMin, kPauseMax);
  return true;
}

Micros StreamIngestor::Proctime() {
  Micros last = proctime_;
  Micros now = std::max(last, clock_.WallMicros());
  while (!proctime_.compare_exchange_weak(last, now)) {
    now = std::max(last, now);
  }
  return now;
}

void StreamIngestor::SetProctime(Piece& piece) {
  const Micros now = Proctime();
  std::vector<Column> columns;
  columns.reserve(piece.rows->schema().size());
  for (size_t i = 0; i < piece.rows->schema().size(); ++i) {
    columns.push_back(piece.rows->column(i));
  }
  ColumnBuilder times(DataType::Of(TypeId::kTimestamptz));
  times.Reserve(piece.rows->rows());
  for (size_t row = 0; row < piece.rows->rows(); ++row) {
    times.AppendFixed(now);
  }
  columns[*table_.proctime] = times.Finish();
  piece.rows = Batch::Make(table_.schema, std::move(columns), piece.rows->rows());
  piece.times = TimesOf(*piece.rows);
}

bool StreamIngestor::IsBehindProctime(std::span<const Piece> pieces) {
  return HasProctimeWatermark() &&
         std::ranges::any_of(pieces, [this](const Piece& piece) MR_REQUIRES(mutex_) {
           return piece.times.min < partitions_.InTimeFrom(piece.partition.value());
         });
}

Result<bool> StreamIngestor::Control(std::span<const PartitionChange> changes, const Extend& extend,
                                     CommitCallback callback) {
  if (transport_.disk_full()) {
    return Err(ErrorCode::kDiskFull, "the data directory's disk is full");
  }
  auto writer = transport_.BeginEpoch();
  if (extend) {
    extend(*writer, {});
  }
  MutexLock lock(mutex_);
  MR_TRY(RefreshClock());
  bool any = extend != nullptr;
  for (const PartitionChange& change : changes) {
    const uint32_t p = change.partition.value();
    std::optional<ControlFrame> control;
    switch (change.kind) {
      case ControlFrame::Kind::kActive:
        control = partitions_.Activate(p);
        break;
      case ControlFrame::Kind::kWatermark:
        control = partitions_.Raise(p, change.max_event_time);
        break;
      case ControlFrame::Kind::kIdle:
        // The wall clock goes on, and Tick says so.
        control = HasProctimeWatermark() ? std::nullopt : partitions_.SetIdle(p);
        break;
      case ControlFrame::Kind::kEnd:
        control = partitions_.End(p);
        break;
    }
    if (control) {
      writer->PrependControl(stream_, change.partition, *control,
                             partitions_.EventTimeOf(*control));
      any = true;
    }
  }
  if (any) {
    writer->CommitAsync(NotingAborts(std::move(callback)));
  }
  return any;
}

void StreamIngestor::AppendErrors(const Decoded& decoded, EpochWriter& writer) const {
  if (decoded.errors.empty()) {
    return;
  }
  std::vector<ErrorRow> rows;
  rows.reserve(decoded.errors.size());
  const Micros now = clock_.WallMicros();
  for (const RecordError& error : decoded.errors) {
    rows.push_back({.time = now,
                    .code = error.code,
                    .message = error.message,
                    .operator_name = error.code == ErrorCode::kTableFull ? "retention" : "decode",
                    .partition = std::nullopt,
                    .offset = std::nullopt,
                    .weight = 1,
                    .record = std::string(error.original)});
  }
  writer.Append(errors_, PartitionId(0), MakeErrorBatch(rows), {.append_time = now});
}

void StreamIngestor::Tick() {
  if (!table_.event_time || transport_.disk_full()) {
    return;
  }
  MutexLock lock(mutex_);
  if (!RefreshClock()) {
    return;  // The next request says why.
  }
  const std::chrono::nanoseconds now = clock_.Monotonic();
  std::unique_ptr<EpochWriter> writer;
  const auto append = [&](uint32_t partition,
                          const std::optional<ControlFrame>& control) MR_REQUIRES(mutex_) {
    if (control) {
      writer = writer == nullptr ? transport_.BeginEpoch() : std::move(writer);
      const Micros time = control->kind == ControlFrame::Kind::kWatermark
                              ? partitions_.EventTimeOf(*control)
                              : kMicrosMin;
      writer->PrependControl(stream_, PartitionId(partition), *control, time);
    }
  };
  append(0, partitions_.IdleFromTheStart(options_.idle_timeout, now));
  const bool raises = HasProctimeWatermark() && IsTimeToRaise(now);
  for (uint32_t p = 0; p < table_.partitions; ++p) {
    if (raises) {
      append(p, partitions_.Raise(p, Proctime()));
    } else if (options_.idle_by_timeout && !HasProctimeWatermark()) {
      append(p, partitions_.Idle(p, options_.idle_timeout, now));
    }
  }
  if (writer != nullptr) {
    writer->CommitAsync(NotingAborts({}));
  }
}

}  // namespace millrace
