#include "golden_rows.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "millrace/data/text_format.h"

namespace millrace::golden {

namespace {

constexpr size_t kTextMax = 200;

bool IsPrintable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

/// Text that cannot be taken for anything else on its line.
std::string Shown(std::string_view text, bool quote) {
  std::string out;
  for (const char c : text.substr(0, kTextMax)) {
    if (IsPrintable(c) && !(quote && (c == '\'' || c == '\\'))) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kTextMax) {
    out += fmt::format("... ({} bytes)", text.size());
  }
  return quote ? "'" + out + "'" : out;
}

std::string TextCell(std::string_view text) {
  const bool plain = !text.empty() && text != "NULL" && text.front() != ' ' && text.back() != ' ' &&
                     text.front() != '\'' && text.find('|') == std::string_view::npos &&
                     text.find('\\') == std::string_view::npos &&
                     std::ranges::all_of(text, IsPrintable);
  return Shown(text, !plain);
}

std::string FloatCell(double value, int digits) {
  if (!std::isfinite(value)) {
    std::string text;
    AppendDouble(text, value);
    return text;
  }
  return fmt::format("{:.{}g}", value + 0.0, digits);  // -0 is shown as 0.
}

std::string Cell(const Column& column, size_t row) {
  const Value value = ValueAt(column, row);
  if (value.is_null()) {
    return "NULL";
  }
  switch (column.type().id) {
    case TypeId::kFloat32:
      return FloatCell(value.Get<double>(), 6);
    case TypeId::kFloat64:
      return FloatCell(value.Get<double>(), 12);
    case TypeId::kText:
    case TypeId::kJsonb:
      return TextCell(value.Get<std::string>());
    default:
      return FormatValue(value, column.type());
  }
}

std::string ErrorLine(const Batch& batch, size_t row) {
  const auto column = [&](std::string_view name) -> const Column& {
    return batch.column(*batch.schema().Find(name));
  };
  std::string line;
  for (const std::string_view name : {"code", "operator", "partition", "offset", "message"}) {
    line += Cell(column(name), row) + " | ";
  }
  const Column& record = column("record");
  return line + (record.IsNull(row) ? "NULL" : Shown(record.Text(row), false));
}

using AddRow = std::function<void(const Batch& batch, size_t row)>;

Status ReadRows(Transport& transport, const std::string& name, const AddRow& add) {
  const auto stream = transport.FindStream(name);
  if (!stream) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", name));
  }
  for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
    const PartitionId partition(p);
    const Offset begin = transport.Describe(stream->id, partition).begin;
    const auto cursor = transport.OpenCursor(stream->id, partition, begin, Visibility::kDurable);
    MR_ASSIGN(const auto frames, cursor->Poll(SIZE_MAX));
    for (const StreamFrame& frame : frames) {
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        add(*frame.batch, row);
      }
    }
  }
  return {};
}

}  // namespace

std::string HeaderLine(const Schema& schema) {
  std::string line;
  for (const Field& field : schema.fields()) {
    line += (line.empty() ? "" : " | ") + field.name;
  }
  return line;
}

std::string RowLine(const Batch& batch, size_t row) {
  std::string line;
  for (const Column& column : batch.columns()) {
    line += (line.empty() ? "" : " | ") + Cell(column, row);
  }
  return line;
}

Result<RowCounts> NetRows(Transport& transport, const std::string& stream) {
  RowCounts counts;
  MR_TRY(ReadRows(transport, stream, [&](const Batch& batch, size_t row) {
    counts[RowLine(batch, row)] += batch.Weight(row);
  }));
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  return counts;
}

Result<RowCounts> NetErrors(Transport& transport, const std::string& stream) {
  RowCounts counts;
  MR_TRY(ReadRows(transport, stream, [&](const Batch& batch, size_t row) {
    const Column& weight = batch.column(*batch.schema().Find("weight"));
    counts[ErrorLine(batch, row)] += weight.Values<int32_t>()[row];
  }));
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  return counts;
}

std::string_view ErrorHeaderLine() {
  return "code | operator | partition | offset | message | record";
}

Result<std::vector<std::string>> Lines(const RowCounts& counts) {
  std::vector<std::string> lines;
  for (const auto& [line, count] : counts) {
    if (count < 0) {
      return Err(ErrorCode::kWithoutPositive, fmt::format("{} times: {}", count, line));
    }
    lines.insert(lines.end(), static_cast<size_t>(count), line);
  }
  return lines;
}

std::vector<std::string> ChangeLines(const RowCounts& before, const RowCounts& now) {
  RowCounts changes = now;
  for (const auto& [line, count] : before) {
    changes[line] -= count;
  }
  std::vector<std::string> lines;
  for (const auto& [line, change] : changes) {
    lines.insert(lines.end(), static_cast<size_t>(std::abs(change)),
                 (change < 0 ? "- " : "+ ") + line);
  }
  return lines;
}

}  // namespace millrace::golden
