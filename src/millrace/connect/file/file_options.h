#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/base/options.h"
#include "millrace/codec/csv_scan.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/connect/file/record_cutter.h"

namespace millrace {

enum class FileFormat : uint8_t {
  kJson,   ///< One JSON object per line.
  kRegex,  ///< Lines that a pattern takes apart.
  kCsv,    ///< Fields between delimiters.
};

enum class FileMode : uint8_t {
  kBounded,  ///< Reads what is there, then the input has ended.
  kFollow,   ///< Goes on as files grow, rotate and come.
};

/// The WITH options of a table with connector = 'file'.
struct FileOptions {
  std::string path;
  FileFormat format = FileFormat::kJson;
  std::string pattern;
  bool header = true;
  std::string delimiter = ",";
  std::string quote = "\"";
  std::string escape;
  std::string null_text;
  FileMode mode = FileMode::kBounded;
  Duration poll_interval = std::chrono::milliseconds(500);

  /// Whether the first record of each file is a header.
  bool has_header() const { return format == FileFormat::kCsv && header; }
  /// Of format = 'csv'.
  csv::Dialect dialect() const;
};
const OptionTable<FileOptions>& FileOptionTable();

/// Says where the records of the table's format end.
RecordCutter MakeFileCutter(const FileOptions& options);

/// Makes the decoder for the table's format. `schema` is without generated columns; `json` has the
/// limits of every format. Errors: kConfigInvalidValue, kInvalidRegex.
Result<std::unique_ptr<RecordDecoder>> MakeFileDecoder(const FileOptions& options,
                                                       const SchemaPtr& schema,
                                                       JsonDecoderOptions json);

}  // namespace millrace
