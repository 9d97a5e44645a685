#include "millrace/codec/csv_encoder.h"

#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {

void RowCsvWriter::AppendField(std::string_view text, std::string& out) const {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const char special[] = {dialect_.delimiter, dialect_.quote, '\n', '\r'};
  const bool quoted =
      text == null_text_ || text.starts_with(kByteOrderMark) ||
      text.find_first_of(std::string_view(special, sizeof(special))) != std::string_view::npos;
  if (!quoted) {
    out += text;
    return;
  }
  out += dialect_.quote;
  for (const char c : text) {
    out += c;
    if (c == dialect_.quote) {
      out += c;
    }
  }
  out += dialect_.quote;
}

void RowCsvWriter::AppendHeader(const Schema& schema, std::string& out) const {
  for (size_t i = 0; i < schema.size(); ++i) {
    if (i > 0) {
      out += dialect_.delimiter;
    }
    AppendField(schema.field(i).name, out);
  }
  out += '\n';
}

void RowCsvWriter::Append(const Batch& batch, size_t row, std::string& out) const {
  std::string text;
  for (size_t i = 0; i < batch.columns().size(); ++i) {
    const Column& column = batch.column(i);
    if (i > 0) {
      out += dialect_.delimiter;
    }
    if (column.IsNull(row)) {
      out += null_text_;
    } else if (column.type().id == TypeId::kText || column.type().id == TypeId::kJsonb) {
      AppendField(column.Text(row), out);
    } else {
      text.clear();
      AppendValueText(text, ValueAt(column, row), column.type());
      AppendField(text, out);
    }
  }
  out += '\n';
}

}  // namespace millrace
