#include "millrace/connect/nexmark/nexmark_json.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/connect/nexmark/nexmark_rows.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"

namespace millrace::nexmark {

namespace {

constexpr std::array<std::string_view, 3> kKindNames = {"person", "auction", "bid"};

void AppendDateTime(Micros value, std::string& out) {
  const Micros millis = value / 1000 % 1000;
  std::string text = FormatTimestamptz(value - value % kMicrosPerSecond);
  text[10] = ' ';
  text.pop_back();
  fmt::format_to(std::back_inserter(out), "\"{}.{:03}\"", text, millis);
}

void AppendField(const Column& column, size_t row, std::string& out) {
  switch (column.type().id) {
    case TypeId::kInt64:
      AppendInteger(out, column.Values<int64_t>()[row]);
      return;
    case TypeId::kTimestamptz:
      AppendDateTime(column.Values<Micros>()[row], out);
      return;
    default:
      AppendJsonString(out, column.Text(row));
  }
}

}  // namespace

void AppendJsonLines(const Batch& batch, std::string& out) {
  const auto columns = AllColumns();
  std::array<std::vector<std::pair<std::string, size_t>>, 3> fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!columns[i].of_all) {
      auto& own = fields[static_cast<size_t>(columns[i].kind)];
      own.emplace_back(fmt::format("{}\"{}\":", own.empty() ? '{' : ',', columns[i].json_key), i);
    }
  }
  const auto types = batch.column(0).Values<int32_t>();
  for (size_t row = 0; row < batch.rows(); ++row) {
    out += R"({"event_type":)";
    AppendInteger(out, types[row]);
    for (size_t kind = 0; kind < kKindNames.size(); ++kind) {
      out += ",\"";
      out += kKindNames[kind];
      out += "\":";
      if (kind != static_cast<size_t>(types[row])) {
        out += "null";
        continue;
      }
      for (const auto& [begin, column] : fields[kind]) {
        out += begin;
        AppendField(batch.column(column), row, out);
      }
      out += '}';
    }
    out += "}\n";
  }
}

Status WriteJsonLines(const NexmarkOptions& options, FileSystem& files, const std::string& path) {
  constexpr uint64_t kBlockRows = 10'000;
  MR_ASSIGN(const auto file, files.Open(path, OpenMode::kCreate));
  NexmarkRows rows(FullSchema(), options);
  std::string lines;
  uint64_t written = 0;
  for (uint64_t next = 0; next < options.events; next += kBlockRows) {
    lines.clear();
    AppendJsonLines(*rows.Make(next, std::min(kBlockRows, options.events - next)), lines);
    MR_TRY(file->WriteAt(written, AsBytes(lines)));
    written += lines.size();
  }
  MR_TRY(file->Sync());
  return files.SyncDirectory(ParentPath(path));
}

}  // namespace millrace::nexmark
