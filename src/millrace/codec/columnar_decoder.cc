#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "millrace/base/check.h"
#include "millrace/base/checksum.h"
#include "millrace/codec/byte_block.h"
#include "millrace/codec/columnar.h"
#include "millrace/codec/columnar_format.h"
#include "millrace/codec/integer_block.h"
#include "millrace/codec/text_block.h"
#include "millrace/data/array_value.h"

namespace millrace {

namespace {

using columnar::DecodeIntegers;

struct Header {
  uint8_t extras = 0;
  uint16_t columns = 0;
  uint32_t rows = 0;
};

/// One stored column: what the directory says and where its section lies.
struct Entry {
  uint64_t name_hash = 0;
  DataType type;
  uint8_t flags = 0;
  uint32_t size = 0;
  size_t begin = 0;
};

Result<Header> ReadHeader(ByteReader& reader) {
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version > columnar::kVersion) {
    return Err(ErrorCode::kFormatTooNew,
               fmt::format("a columnar payload of version {}, this program reads up to {}", version,
                           columnar::kVersion));
  }
  Header header;
  MR_ASSIGN(header.extras, reader.Get<uint8_t>());
  MR_ASSIGN(header.columns, reader.Get<uint16_t>());
  MR_ASSIGN(header.rows, reader.Get<uint32_t>());
  if (version == 0 || (header.extras & ~columnar::kExtrasAll) != 0 ||
      header.columns > columnar::kColumnsMax || header.rows > columnar::kRowsMax) {
    return Err(ErrorCode::kCorruption, "the header of a columnar payload is damaged");
  }
  return header;
}

Result<std::vector<Entry>> ReadDirectory(ByteReader& reader, const Header& header) {
  std::vector<Entry> entries;
  entries.reserve(std::min(size_t{header.columns}, reader.remaining() / columnar::kEntryBytes));
  for (uint16_t i = 0; i < header.columns; ++i) {
    Entry entry;
    MR_ASSIGN(entry.name_hash, reader.Get<uint64_t>());
    MR_ASSIGN(const auto type, reader.Get<uint8_t>());
    MR_ASSIGN(const auto precision, reader.Get<uint8_t>());
    MR_ASSIGN(const auto scale, reader.Get<uint8_t>());
    entry.type = DataType::FromStored(type, precision, scale);
    if (!entry.type.is_known()) {
      return Err(ErrorCode::kCorruption, "a column of an unknown type");
    }
    MR_ASSIGN(entry.flags, reader.Get<uint8_t>());
    MR_ASSIGN(entry.size, reader.Get<uint32_t>());
    entries.push_back(entry);
  }
  size_t begin = reader.position();
  for (Entry& entry : entries) {
    entry.begin = begin;
    begin += entry.size;
  }
  return entries;
}

/// Clears the bits behind the last row, which nobody may set.
void ClearTail(std::vector<uint64_t>& words, size_t bits) {
  if (bits % kBitsPerWord != 0) {
    words.back() &= (uint64_t{1} << (bits % kBitsPerWord)) - 1;
  }
}

Result<std::vector<uint64_t>> ReadWords(ByteReader& reader, size_t bits) {
  std::vector<uint64_t> words(WordsForBits(bits));
  MR_ASSIGN(const auto bytes, reader.GetBytes(words.size() * sizeof(uint64_t)));
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(words)).begin());
  ClearTail(words, bits);
  return words;
}

/// Reads the section of one column.
class ColumnReader {
 public:
  ColumnReader(const Entry& entry, size_t rows, const BufferPtr& payload)
      : entry_(entry),
        rows_(rows),
        payload_(payload),
        reader_(payload->bytes().first(entry.begin + entry.size)) {}

  Result<Column> Read() {
    MR_TRY(reader_.GetBytes(entry_.begin));
    if ((entry_.flags & columnar::kHasValidity) != 0) {
      MR_ASSIGN(validity_, ReadWords(reader_, rows_));
    }
    MR_ASSIGN(auto values, ReadValues());
    BufferPtr validity = validity_.empty() ? nullptr : Buffer::Own(std::move(validity_));
    Column column(entry_.type, rows_, std::move(validity), std::move(values),
                  std::move(text_buffers_));
    if (entry_.type.is_array()) {
      MR_TRY(CheckArrays(column));
    }
    return column;
  }

 private:
  static Status CheckArrays(const Column& column) {
    for (size_t row = 0; row < column.size(); ++row) {
      if (!IsValidArray(column.Text(row), column.type())) {
        return Err(ErrorCode::kCorruption, "an array whose elements are not whole");
      }
    }
    return {};
  }

  Result<BufferPtr> ReadValues() {
    switch (entry_.type.id) {
      case TypeId::kBoolean: {
        MR_ASSIGN(auto words, ReadWords(reader_, rows_));
        for (size_t i = 0; i < validity_.size(); ++i) {
          words[i] &= validity_[i];
        }
        return Buffer::Own(std::move(words));
      }
      case TypeId::kInt16:
        return ReadIntegers<int16_t>();
      case TypeId::kInt32:
      case TypeId::kDate:
        return ReadIntegers<int32_t>();
      case TypeId::kInt64:
      case TypeId::kTimestamp:
      case TypeId::kTimestamptz:
        return ReadIntegers<int64_t>();
      case TypeId::kNumeric:
        return ReadNumerics();
      case TypeId::kFloat32:
        return ReadFixed<uint32_t>();
      case TypeId::kFloat64:
        return ReadFixed<uint64_t>();
      case TypeId::kInterval:
      case TypeId::kUuid:
        return ReadFixed<Uint128>();
      case TypeId::kText:
      case TypeId::kBytea:
      case TypeId::kJsonb:
      case TypeId::kArray:
        return ReadText();
    }
    MR_CHECK(false, "type {}", static_cast<int>(entry_.type.id));
  }

  template <typename T>
  void ZeroNulls(std::vector<T>& values) const {
    for (size_t word = 0; word < validity_.size(); ++word) {
      uint64_t nulls = ~validity_[word];
      for (; nulls != 0; nulls &= nulls - 1) {
        const size_t row = word * kBitsPerWord + static_cast<size_t>(std::countr_zero(nulls));
        if (row >= values.size()) {
          return;
        }
        values[row] = T{};
      }
    }
  }

  template <typename T>
  Result<BufferPtr> Finish(std::vector<T> values) {
    ZeroNulls(values);
    return Buffer::Own(std::move(values));
  }

  template <typename T>
  Result<BufferPtr> ReadIntegers() {
    std::vector<T> values(rows_);
    MR_TRY(DecodeIntegers<T>(reader_, values));
    return Finish(std::move(values));
  }

  /// The memory of a vector: aligned for T, which a place in the payload need not be.
  template <typename T>
  Result<BufferPtr> ReadFixed() {
    MR_ASSIGN(const auto decoded, columnar::DecodeBytes(reader_));
    if (decoded.bytes.size() != rows_ * sizeof(T)) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("{} bytes for {} values", decoded.bytes.size(), rows_));
    }
    std::vector<T> values(rows_);
    std::ranges::copy(decoded.bytes, std::as_writable_bytes(std::span(values)).begin());
    return Finish(std::move(values));
  }

  Result<BufferPtr> ReadNumerics() {
    MR_ASSIGN(const auto kind, reader_.Get<columnar::NumericKind>());
    if (kind == columnar::NumericKind::kWide) {
      return ReadFixed<Int128>();
    }
    if (kind != columnar::NumericKind::kNarrow) {
      return Err(ErrorCode::kCorruption, "numerics of an unknown kind");
    }
    std::vector<int64_t> narrow(rows_);
    MR_TRY(DecodeIntegers<int64_t>(reader_, narrow));
    return Finish(std::vector<Int128>(narrow.begin(), narrow.end()));
  }

  Result<BufferPtr> ReadText() {
    MR_ASSIGN(auto text, columnar::DecodeText(reader_, rows_, payload_));
    text_buffers_ = std::move(text.buffers);
    return Finish(std::move(text.views));
  }

  const Entry& entry_;
  const size_t rows_;
  const BufferPtr& payload_;
  ByteReader reader_;
  std::vector<uint64_t> validity_;
  std::vector<BufferPtr> text_buffers_;
};

Result<Column> ReadField(const Field& field, std::span<const Entry> entries, size_t rows,
                         const BufferPtr& payload) {
  const auto entry =
      std::ranges::find(entries, Xxh3(std::string_view(field.name)), &Entry::name_hash);
  if (entry == entries.end()) {
    if (!field.nullable) {
      return Err(ErrorCode::kDefinitionChanged,
                 fmt::format("column {} is NOT NULL and not stored", field.name));
    }
    return NullColumn(field.type, rows);
  }
  if (entry->type != field.type) {
    return Err(ErrorCode::kDefinitionChanged,
               fmt::format("column {} is now {} and is stored as {}", field.name,
                           field.type.ToString(), entry->type.ToString()));
  }
  auto column = ColumnReader(*entry, rows, payload).Read();
  if (!column) {
    return Err(column.error().WithContext(fmt::format("column {}", field.name)));
  }
  return column;
}

template <typename T>
Result<BufferPtr> ReadExtra(ByteReader& reader, uint8_t extras, uint8_t which, size_t rows) {
  if ((extras & which) == 0) {
    return nullptr;
  }
  std::vector<T> values(rows);
  MR_TRY(DecodeIntegers<T>(reader, values));
  if (which == columnar::kWeights && std::ranges::find(values, T{0}) != values.end()) {
    return Err(ErrorCode::kCorruption, "a weight is zero");
  }
  return Buffer::Own(std::move(values));
}

}  // namespace

Result<BatchPtr> DecodeColumnar(const SchemaPtr& schema, const BufferPtr& payload) {
  if (payload->size() > std::numeric_limits<uint32_t>::max()) {
    return Err(ErrorCode::kCorruption, "a columnar payload is larger than 4 GiB");
  }
  ByteReader reader(payload->bytes());
  MR_ASSIGN(const auto header, ReadHeader(reader));
  MR_ASSIGN(const auto entries, ReadDirectory(reader, header));
  const size_t columns_end =
      entries.empty() ? reader.position() : entries.back().begin + entries.back().size;
  MR_TRY(reader.GetBytes(columns_end - reader.position()));
  Batch::RowExtras extras;
  MR_ASSIGN(extras.weights,
            ReadExtra<int32_t>(reader, header.extras, columnar::kWeights, header.rows));
  MR_ASSIGN(extras.watermarks_before,
            ReadExtra<Micros>(reader, header.extras, columnar::kWatermarks, header.rows));
  MR_ASSIGN(extras.offsets,
            ReadExtra<int64_t>(reader, header.extras, columnar::kOffsets, header.rows));
  if (reader.remaining() != 0) {
    return Err(ErrorCode::kCorruption,
               fmt::format("{} bytes behind a columnar payload", reader.remaining()));
  }
  std::vector<Column> columns;
  columns.reserve(schema->size());
  for (const Field& field : schema->fields()) {
    MR_ASSIGN(auto column, ReadField(field, entries, header.rows, payload));
    columns.push_back(std::move(column));
  }
  return Batch::Make(schema, std::move(columns), header.rows, std::move(extras));
}

Result<size_t> ColumnarRows(std::span<const std::byte> payload) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto header, ReadHeader(reader));
  return header.rows;
}

}  // namespace millrace
