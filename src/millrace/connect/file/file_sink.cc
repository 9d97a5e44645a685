#include "millrace/connect/file/file_sink.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>
#include <simdjson.h>

#include "millrace/base/bytes.h"
#include "millrace/connect/file/csv_character.h"
#include "millrace/data/json_text.h"

namespace millrace {

namespace {

constexpr uint64_t kManifestBytesMax = uint64_t{16} << 20;
constexpr int64_t kManifestVersion = 1;
constexpr std::string_view kPartBegin = "part-";
constexpr std::string_view kInsert = "insert";
constexpr std::string_view kDelete = "delete";

std::string_view Suffix(FileSinkFormat format) {
  return format == FileSinkFormat::kCsv ? ".csv" : ".ndjson";
}

std::unexpected<Error> Mismatch(const std::string& message) {
  return std::unexpected(Error(ErrorCode::kSinkMismatch, message)
                             .WithHint("give the sink another directory, or empty this one"));
}

}  // namespace

csv::Dialect FileSinkOptions::dialect() const {
  return {.delimiter = CsvCharacterOf(delimiter), .quote = CsvCharacterOf(quote)};
}

const OptionTable<FileSinkOptions>& FileSinkOptionTable() {
  using Options = FileSinkOptions;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .Add("path", &Options::path,
             "The directory for the files, made when missing; relative to the project directory.")
        .Required();
    table.AddChoice("format", &Options::format,
                    {{"json", FileSinkFormat::kJson}, {"csv", FileSinkFormat::kCsv}},
                    "JSON objects, one per line, or CSV.");
    table.Add("change_column", &Options::change_column,
              "A field in front that says insert or delete, for rows that are taken back; without, "
              "such a row stops the sink.");
    table.Add("header", &Options::header,
              "Whether each file begins with the columns' names, for format = 'csv'.");
    table
        .Add("delimiter", &Options::delimiter,
             "The character between fields, for format = 'csv'; tab for a tabulator.")
        .Check([](const Options& options) {
          return CheckCsvCharacter(options.delimiter, /*may_miss=*/false);
        });
    table
        .Add("quote", &Options::quote,
             "The character around fields that hold delimiters, for format = 'csv'.")
        .Check([](const Options& options) {
          return CheckCsvCharacter(options.quote, /*may_miss=*/false);
        });
    table.Add("null_text", &Options::null_text, "What stands for NULL, for format = 'csv'.");
    return table;
  }();
  return kTable;
}

FileSink::FileSink(const FileSinkOptions& options, const TableDefinition& table, FileSystem& files,
                   std::string directory)
    : options_(options),
      table_(table.name),
      json_(*table.schema),
      csv_(options.dialect(), options.null_text),
      files_(files),
      directory_(std::move(directory)) {
  if (options_.format == FileSinkFormat::kCsv && options_.header) {
    if (!options_.change_column.empty()) {
      csv_.AppendField(options_.change_column, csv_header_);
      csv_header_ += options_.dialect().delimiter;
    }
    csv_.AppendHeader(*table.schema, csv_header_);
  }
}

std::string FileSink::NameOf(uint32_t partition, const Pending& pending) const {
  return fmt::format("{}{:04}-{:020}-{:020}{}", kPartBegin, partition, pending.begin.value(),
                     pending.end.value(), Suffix(options_.format));
}

std::optional<FileSink::PartName> FileSink::ParseName(const std::string& name) {
  static const RE2 kPattern(R"(part-(\d{4,10})-(\d{20})-(\d{20})\.(?:ndjson|csv))");
  PartName part;
  int64_t begin = 0;
  int64_t end = 0;
  if (!RE2::FullMatch(name, kPattern, &part.partition, &begin, &end)) {
    return {};
  }
  part.begin = Offset(begin);
  part.end = Offset(end);
  return part;
}

Result<std::optional<Sink::Positions>> FileSink::Open() {
  MR_TRY(files_.CreateDirectories(directory_));
  MR_ASSIGN(const auto entries, files_.List(directory_));
  const auto is = [](std::string_view name) {
    return [name](const DirectoryEntry& entry) { return entry.name == name; };
  };
  if (std::ranges::any_of(entries, is(kManifestName))) {
    MR_TRY(ReadManifest());
    MR_TRY(RemoveUnlisted(entries));
    return positions_;
  }
  const auto part = std::ranges::find_if(
      entries, [](const DirectoryEntry& entry) { return ParseName(entry.name).has_value(); });
  if (part != entries.end()) {
    return Mismatch(fmt::format("{} has {}, and no {}", directory_, part->name, kManifestName));
  }
  MR_TRY(WriteManifest());
  return positions_;
}

Status FileSink::ReadManifest() {
  const std::string path = JoinPath(directory_, kManifestName);
  MR_ASSIGN(const std::string text, ReadWholeFile(files_, path, kManifestBytesMax));
  const auto damaged = [&] {
    return Err(ErrorCode::kCorruption, fmt::format("{} is damaged", path));
  };
  simdjson::dom::parser parser;
  simdjson::dom::object manifest;
  int64_t version = 0;
  std::string_view table;
  simdjson::dom::object positions;
  if (parser.parse(text).get(manifest) != simdjson::SUCCESS ||
      manifest["version"].get(version) != simdjson::SUCCESS) {
    return damaged();
  }
  if (version != kManifestVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("{} has version {}", path, version));
  }
  if (manifest["table"].get(table) != simdjson::SUCCESS ||
      manifest["positions"].get(positions) != simdjson::SUCCESS) {
    return damaged();
  }
  if (table != table_) {
    return Mismatch(fmt::format("{} is of table {}, not {}", path, table, table_));
  }
  for (const auto [name, value] : positions) {
    uint32_t partition = 0;
    int64_t offset = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), partition);
    if (error != std::errc() || end != name.data() + name.size() ||
        value.get(offset) != simdjson::SUCCESS || offset < 0) {
      return damaged();
    }
    positions_[partition] = Offset(offset);
  }
  return {};
}

Status FileSink::WriteManifest() {
  std::string text = fmt::format(R"({{"version":{},"table":)", kManifestVersion);
  AppendJsonString(text, table_);
  text += ",\"positions\":{";
  for (const auto& [partition, offset] : positions_) {
    text += fmt::format("{}\"{}\":{}", text.back() == '{' ? "" : ",", partition, offset);
  }
  text += "}}\n";
  return ReplaceFile(files_, JoinPath(directory_, kManifestName), text);
}

Status FileSink::RemoveUnlisted(const std::vector<DirectoryEntry>& entries) {
  bool any = false;
  for (const DirectoryEntry& entry : entries) {
    const auto part = ParseName(entry.name);
    if (!part) {
      continue;
    }
    const auto position = positions_.find(part->partition);
    if (position == positions_.end() || part->end > position->second) {
      MR_TRY(files_.RemoveFile(JoinPath(directory_, entry.name)));
      any = true;
    }
  }
  return any ? files_.SyncDirectory(directory_) : Status();
}

Status FileSink::Write(const SinkRows& rows) {
  const auto [at, added] = pending_.try_emplace(
      rows.partition.value(), Pending{.begin = rows.begin, .end = rows.end, .text = {}});
  Pending& pending = at->second;
  const size_t bytes_before = pending.text.size();
  for (size_t row = 0; rows.rows != nullptr && row < rows.rows->rows(); ++row) {
    const int64_t weight = rows.rows->Weight(row);
    if (weight < 0 && options_.change_column.empty()) {
      return std::unexpected(
          Error(
              ErrorCode::kSinkRetraction,
              fmt::format("a row of table {} was taken back, which its files cannot show", table_))
              .WithHint("change_column = 'op' adds a field that says so"));
    }
    if (pending.text.empty()) {
      pending.text = csv_header_;
    }
    for (int64_t i = 0; i < std::abs(weight); ++i) {
      AppendRow(*rows.rows, row, weight < 0 ? kDelete : kInsert, pending.text);
    }
  }
  pending.end = rows.end;
  unflushed_bytes_ += pending.text.size() - bytes_before;
  return {};
}

void FileSink::AppendRow(const Batch& batch, size_t row, std::string_view change,
                         std::string& out) const {
  const bool says_change = !options_.change_column.empty();
  if (options_.format == FileSinkFormat::kCsv) {
    if (says_change) {
      csv_.AppendField(change, out);
      out += options_.dialect().delimiter;
    }
    csv_.Append(batch, row, out);
    return;
  }
  const size_t begin = out.size();
  json_.Append(batch, row, out);
  if (says_change) {
    std::string field = "{";
    AppendJsonString(field, options_.change_column);
    field += fmt::format(":\"{}\",", change);
    out.replace(begin, 1, field);  // In place of the brace.
  }
  out += '\n';
}

Status FileSink::Flush() {
  bool any = false;
  for (const auto& [partition, pending] : pending_) {
    if (!pending.text.empty()) {
      MR_TRY(WritePart(NameOf(partition, pending), pending));
      any = true;
    }
  }
  if (any) {
    // The names must be there before the manifest says so.
    MR_TRY(files_.SyncDirectory(directory_));
  }
  for (const auto& [partition, pending] : pending_) {
    positions_[partition] = pending.end;
  }
  MR_TRY(WriteManifest());
  pending_.clear();
  unflushed_bytes_ = 0;
  return {};
}

Status FileSink::WritePart(const std::string& name, const Pending& pending) {
  MR_ASSIGN(const auto file, files_.Open(JoinPath(directory_, name), OpenMode::kCreate));
  MR_TRY(file->WriteAt(0, AsBytes(pending.text)));
  return file->Sync();
}

}  // namespace millrace
