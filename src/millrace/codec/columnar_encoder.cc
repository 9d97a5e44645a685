#include <limits>

#include "millrace/base/check.h"
#include "millrace/base/checksum.h"
#include "millrace/codec/byte_block.h"
#include "millrace/codec/columnar.h"
#include "millrace/codec/columnar_format.h"
#include "millrace/codec/integer_block.h"
#include "millrace/codec/text_block.h"

namespace millrace {

namespace {

using columnar::EncodeBytes;
using columnar::EncodeIntegers;

/// Doubles and the like compress by whole runs; the sample decides.
constexpr size_t kFixedValueBytes = 16;

class ColumnarEncoder {
 public:
  explicit ColumnarEncoder(Bytes& out) : out_(out), writer_(out) {}

  void Encode(const Batch& batch) {
    const size_t columns = batch.columns().size();
    MR_CHECK(columns <= columnar::kColumnsMax && batch.rows() <= columnar::kRowsMax,
             "{} rows of {} columns", batch.rows(), columns);
    writer_.Put(columnar::kVersion);
    writer_.Put(ExtrasOf(batch));
    writer_.Put(static_cast<uint16_t>(columns));
    writer_.Put(static_cast<uint32_t>(batch.rows()));
    const size_t directory = out_.size();
    out_.resize(directory + columns * columnar::kEntryBytes);
    for (size_t i = 0; i < columns; ++i) {
      const size_t begin = out_.size();
      AppendColumn(batch.column(i));
      PatchEntry(directory + i * columnar::kEntryBytes, batch.schema().field(i).name,
                 batch.column(i), out_.size() - begin);
    }
    AppendExtras(batch);
  }

 private:
  static uint8_t ExtrasOf(const Batch& batch) {
    const auto& extras = batch.extras();
    return static_cast<uint8_t>((extras.weights != nullptr ? columnar::kWeights : 0) |
                                (extras.watermarks_before != nullptr ? columnar::kWatermarks : 0) |
                                (extras.offsets != nullptr ? columnar::kOffsets : 0));
  }

  void PatchEntry(size_t at, std::string_view name, const Column& column, size_t size) {
    writer_.Patch(at, Xxh3(name));
    writer_.Patch(at + 8, column.type().stored_id());
    writer_.Patch(at + 9, column.type().precision);
    writer_.Patch(at + 10, column.type().scale);
    writer_.Patch(at + 11, column.may_have_nulls() ? columnar::kHasValidity : uint8_t{0});
    MR_CHECK(size <= std::numeric_limits<uint32_t>::max());
    writer_.Patch(at + 12, static_cast<uint32_t>(size));
  }

  void AppendColumn(const Column& column) {
    if (column.may_have_nulls()) {
      writer_.PutBytes(std::as_bytes(std::span(column.validity(), WordsForBits(column.size()))));
    }
    switch (column.type().id) {
      case TypeId::kBoolean:
        return writer_.PutBytes(
            std::as_bytes(std::span(column.Bits(), WordsForBits(column.size()))));
      case TypeId::kInt16:
        return AppendIntegers<int16_t>(column);
      case TypeId::kInt32:
      case TypeId::kDate:
        return AppendIntegers<int32_t>(column);
      case TypeId::kInt64:
      case TypeId::kTimestamp:
      case TypeId::kTimestamptz:
        return AppendIntegers<int64_t>(column);
      case TypeId::kNumeric:
        return AppendNumerics(column);
      case TypeId::kFloat32:
      case TypeId::kFloat64:
      case TypeId::kInterval:
      case TypeId::kUuid:
        return EncodeBytes(
            column.values_buffer()->bytes().first(column.size() * column.type().width()),
            kFixedValueBytes, text_.compressed, out_);
      case TypeId::kText:
      case TypeId::kBytea:
      case TypeId::kJsonb:
      case TypeId::kArray:
        return columnar::EncodeText(column, text_, out_);
    }
  }

  template <typename T>
  void AppendIntegers(const Column& column) {
    const auto values = column.Values<T>();
    if (!column.may_have_nulls()) {
      EncodeIntegers(values, out_);
      return;
    }
    // The zeros of NULLs would widen the range: they repeat the value before them instead.
    std::vector<T> filled(values.begin(), values.end());
    FillNulls(column, filled);
    EncodeIntegers<T>(filled, out_);
  }

  template <typename T>
  static void FillNulls(const Column& column, std::vector<T>& values) {
    T last{};
    for (size_t row = 0; row < values.size(); ++row) {
      if (!column.IsNull(row)) {
        last = values[row];
        break;
      }
    }
    for (size_t row = 0; row < values.size(); ++row) {
      last = column.IsNull(row) ? last : values[row];
      values[row] = last;
    }
  }

  void AppendNumerics(const Column& column) {
    const auto values = column.Values<Int128>();
    narrow_.resize(values.size());
    Int128 lost = 0;
    for (size_t row = 0; row < values.size(); ++row) {
      narrow_[row] = static_cast<int64_t>(values[row]);
      lost |= values[row] ^ narrow_[row];
    }
    if (lost != 0) {
      writer_.Put(columnar::NumericKind::kWide);
      EncodeBytes(std::as_bytes(values), kFixedValueBytes, text_.compressed, out_);
      return;
    }
    if (column.may_have_nulls()) {
      FillNulls(column, narrow_);
    }
    writer_.Put(columnar::NumericKind::kNarrow);
    EncodeIntegers<int64_t>(narrow_, out_);
  }

  void AppendExtras(const Batch& batch) {
    if (batch.extras().weights != nullptr) {
      EncodeIntegers(batch.weights(), out_);
    }
    if (batch.extras().watermarks_before != nullptr) {
      EncodeIntegers(batch.watermarks_before(), out_);
    }
    if (batch.extras().offsets != nullptr) {
      EncodeIntegers(batch.offsets(), out_);
    }
  }

  Bytes& out_;
  ByteWriter writer_;
  columnar::TextScratch text_;
  std::vector<int64_t> narrow_;
};

}  // namespace

void EncodeColumnar(const Batch& batch, Bytes& out) { ColumnarEncoder(out).Encode(batch); }

}  // namespace millrace
