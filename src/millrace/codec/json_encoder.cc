#include "millrace/codec/json_encoder.h"

#include <cmath>

#include "millrace/base/check.h"
#include "millrace/data/array_value.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

template <typename Append>
void AppendQuoted(std::string& out, Append append) {
  out += '"';
  append();
  out += '"';
}

template <typename Float>
void AppendFloating(std::string& out, Float value, void (*append)(std::string&, Float)) {
  if (std::isfinite(value)) {
    append(out, value);
  } else {
    AppendQuoted(out, [&] { append(out, value); });
  }
}

void AppendArray(std::string_view array, const DataType& type, std::string& out) {
  const Column elements = ElementsOf(array, type);
  out += '[';
  for (size_t i = 0; i < elements.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendValueJson(elements, i, out);
  }
  out += ']';
}

}  // namespace

void AppendValueJson(const Column& column, size_t row, std::string& out) {
  if (column.IsNull(row)) {
    out += "null";
    return;
  }
  switch (column.type().id) {
    case TypeId::kBoolean:
      out += column.Bool(row) ? "true" : "false";
      return;
    case TypeId::kInt16:
      return AppendInteger(out, column.Values<int16_t>()[row]);
    case TypeId::kInt32:
      return AppendInteger(out, column.Values<int32_t>()[row]);
    case TypeId::kInt64:
      return AppendInteger(out, column.Values<int64_t>()[row]);
    case TypeId::kFloat32:
      return AppendFloating(out, column.Values<float>()[row], &AppendFloat);
    case TypeId::kFloat64:
      return AppendFloating(out, column.Values<double>()[row], &AppendDouble);
    case TypeId::kNumeric:
      return AppendNumeric(out, column.Values<Int128>()[row], column.type().scale);
    case TypeId::kText:
      return AppendJsonString(out, column.Text(row));
    case TypeId::kJsonb:
      out += column.Text(row);
      return;
    case TypeId::kBytea:
      out += "\"\\";  // The backslash of \x, escaped.
      AppendBytea(out, column.Text(row));
      out += '"';
      return;
    case TypeId::kDate:
      return AppendQuoted(out, [&] { AppendDate(out, column.Values<int32_t>()[row]); });
    case TypeId::kTimestamp:
      return AppendQuoted(out, [&] { AppendTimestamp(out, column.Values<Micros>()[row]); });
    case TypeId::kTimestamptz:
      return AppendQuoted(out, [&] { AppendTimestamptz(out, column.Values<Micros>()[row]); });
    case TypeId::kInterval:
      return AppendQuoted(out, [&] { AppendInterval(out, column.Values<Interval>()[row]); });
    case TypeId::kArray:
      return AppendArray(column.Text(row), column.type(), out);
    case TypeId::kUuid:
      return AppendQuoted(out, [&] { AppendUuid(out, column.Values<Uuid>()[row]); });
  }
  MR_CHECK(false, "type {}", static_cast<int>(column.type().id));
}

RowJsonWriter::RowJsonWriter(const Schema& schema) {
  for (const Field& field : schema.fields()) {
    std::string key = keys_.empty() ? "{" : ",";
    AppendJsonString(key, field.name);
    key += ':';
    keys_.push_back(std::move(key));
  }
}

void RowJsonWriter::Append(const Batch& batch, size_t row, std::string& out) const {
  MR_DCHECK(batch.columns().size() == keys_.size());
  if (keys_.empty()) {
    out += '{';
  }
  for (size_t i = 0; i < keys_.size(); ++i) {
    out += keys_[i];
    AppendValueJson(batch.column(i), row, out);
  }
  out += '}';
}

void AppendRowJson(const Batch& batch, size_t row, std::string& out) {
  RowJsonWriter(batch.schema()).Append(batch, row, out);
}

}  // namespace millrace
