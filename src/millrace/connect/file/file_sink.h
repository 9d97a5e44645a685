#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/codec/csv_encoder.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/connect/sink.h"
#include "millrace/plan/definitions.h"

namespace millrace {

enum class FileSinkFormat : uint8_t { kJson, kCsv };

/// The WITH options of a table with connector = 'file' that INSERT INTO fills.
struct FileSinkOptions {
  std::string path;  ///< A directory.
  FileSinkFormat format = FileSinkFormat::kJson;
  std::string change_column;
  bool header = true;
  std::string delimiter = ",";
  std::string quote = "\"";
  std::string null_text;

  /// Of format = 'csv'.
  csv::Dialect dialect() const;
};
const OptionTable<FileSinkOptions>& FileSinkOptionTable();

/// Writes rows to files in a directory: parts, each named after the range of offsets of one
/// partition that it holds, and a manifest with the position (docs/connectors/file.md). A flush
/// writes and syncs a part for each partition that has rows, and then replaces the manifest: a part
/// counts once its range ends at or before its partition's position. Those that do not are what an
/// interrupted flush has left; Open removes them.
class FileSink final : public Sink {
 public:
  static constexpr std::string_view kManifestName = "MANIFEST.json";

  /// `directory`: where the parts are; it is made when it is missing.
  FileSink(const FileSinkOptions& options, const TableDefinition& table, FileSystem& files,
           std::string directory);

  /// kSinkMismatch when the directory has parts and no manifest, or another table's.
  Result<std::optional<Positions>> Open() override;
  Status Write(const SinkRows& rows) override;
  Status Flush() override;
  size_t unflushed_bytes() const override { return unflushed_bytes_; }

 private:
  /// What one partition has for its next part.
  struct Pending {
    Offset begin;
    Offset end;
    std::string text;
  };
  struct PartName {
    uint32_t partition = 0;
    Offset begin;
    Offset end;
  };

  std::string NameOf(uint32_t partition, const Pending& pending) const;
  static std::optional<PartName> ParseName(const std::string& name);
  Status ReadManifest();
  Status WriteManifest();
  Status RemoveUnlisted(const std::vector<DirectoryEntry>& entries);
  void AppendRow(const Batch& batch, size_t row, std::string_view change, std::string& out) const;
  Status WritePart(const std::string& name, const Pending& pending);

  const FileSinkOptions options_;
  const std::string table_;
  const RowJsonWriter json_;
  const RowCsvWriter csv_;
  std::string csv_header_;  // With which each part begins.
  FileSystem& files_;
  const std::string directory_;
  Positions positions_;
  std::map<uint32_t, Pending> pending_;  // By partition.
  size_t unflushed_bytes_ = 0;
};

}  // namespace millrace
