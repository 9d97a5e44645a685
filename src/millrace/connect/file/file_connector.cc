#include "millrace/connect/file/file_connector.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/thread.h"
#include "millrace/connect/file/file_options.h"
#include "millrace/connect/file/file_sink.h"
#include "millrace/connect/file/file_source.h"
#include "millrace/connect/ingest_options.h"

namespace millrace {

namespace {

const SourceLocation& LocationOf(const TableDefinition& table, std::string_view option) {
  const auto found = table.options.find(option);
  return found == table.options.end() ? table.location : found->second.location;
}

/// What is wrong between the options of format = 'csv' and others.
void CheckCsv(const TableDefinition& table, const FileOptions& options,
              const JsonDecoderOptions& json, std::vector<ProjectError>& errors) {
  const auto refuse = [&](std::string_view option, const std::string& message) {
    errors.push_back({LocationOf(table, option), Error(ErrorCode::kConfigInvalidValue, message)});
  };
  if (options.format != FileFormat::kCsv) {
    for (const std::string_view option : {"header", "delimiter", "quote", "escape", "null_text"}) {
      if (table.options.contains(option)) {
        refuse(option, fmt::format("{} is for format = 'csv'", option));
      }
    }
    return;
  }
  const csv::Dialect dialect = options.dialect();
  if (dialect.delimiter == dialect.quote || dialect.delimiter == dialect.escape ||
      (dialect.quote == dialect.escape && dialect.quote != '\0')) {
    refuse(table.options.contains("escape")  ? "escape"
           : table.options.contains("quote") ? "quote"
                                             : "delimiter",
           "delimiter, quote and escape must differ; a quote is always doubled in text");
  }
  if (json.undeclared == UndeclaredFields::kKeep) {
    refuse("undeclared_fields", "undeclared_fields = 'keep' is for format = 'json'");
  }
  if (!options.header && !json.paths.empty()) {
    refuse("header", fmt::format("{}.from needs a header", json.paths.begin()->first));
  }
}

void Check(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const size_t before = errors.size();
  const auto options = ReadConnectorOptions(table, FileOptionTable(), errors);
  CheckIngestOptions(table, errors);
  const auto refuse = [&](std::string_view option, const Error& error) {
    errors.push_back({LocationOf(table, option), error});
  };
  const auto json = ReadIngestOptions(table).json;
  CheckCsv(table, options, json, errors);
  if (options.format == FileFormat::kRegex && options.pattern.empty()) {
    refuse("format", Error(ErrorCode::kConfigMissingValue, "format = 'regex' needs a pattern"));
  } else if (options.format != FileFormat::kRegex && !options.pattern.empty()) {
    refuse("pattern", Error(ErrorCode::kConfigInvalidValue, "pattern is for format = 'regex'"));
  } else if (options.format == FileFormat::kRegex && !json.paths.empty()) {
    refuse("format",
           Error(ErrorCode::kConfigInvalidValue,
                 fmt::format("{}.from is not for format = 'regex'", json.paths.begin()->first)));
  } else if (errors.size() == before) {
    if (auto decoder = MakeFileDecoder(options, DeclaredSchema(table), json); !decoder) {
      refuse("pattern", decoder.error());
    }
  }
}

Status Preflight(const TableDefinition& table, const std::string& project_dir, FileSystem& files) {
  return FileSource::Check(ReadConnectorOptions(table, FileOptionTable()), project_dir, files);
}

Result<std::unique_ptr<Source>> Open(const TableDefinition& table, const SourceContext& context) {
  constexpr int kDecoderThreadsMax = 3;
  FileSource::Limits limits;
  limits.decoder_threads =
      static_cast<size_t>(std::clamp(AvailableProcessors() - 1, 0, kDecoderThreadsMax));
  if (table.is_direct) {
    limits.commits_in_flight_max = FileSource::kDirectCommitsInFlightMax;
  }
  return FileSource::Open(ReadConnectorOptions(table, FileOptionTable()), context, limits);
}

bool IsJson(const TableDefinition& table) {
  return ReadConnectorOptions(table, FileOptionTable()).format == FileFormat::kJson;
}

Result<ErrorReplay::Format> ErrorFormat(const StreamIngestor& ingestor) {
  const auto options = ReadConnectorOptions(ingestor.table(), FileOptionTable());
  if (options.format == FileFormat::kJson) {
    return ErrorReplay::Format();
  }
  MR_ASSIGN(auto decoder,
            MakeFileDecoder(options, ingestor.declared_schema(), ingestor.options().json));
  ErrorReplay::Format format{.decoder = std::move(decoder), .has_header = options.has_header()};
  if (options.format == FileFormat::kCsv && !options.header) {
    FileOptions with_header = options;
    with_header.header = true;
    MR_ASSIGN(format.header_decoder,
              MakeFileDecoder(with_header, ingestor.declared_schema(), ingestor.options().json));
  }
  return format;
}

bool CanSkipColumns(const TableDefinition& table) {
  return IsJson(table) && ReadIngestOptions(table).json.undeclared == UndeclaredFields::kIgnore;
}

void CheckSink(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const auto options = ReadConnectorOptions(table, FileSinkOptionTable(), errors);
  const auto refuse = [&](std::string_view option, const std::string& message) {
    errors.push_back({LocationOf(table, option), Error(ErrorCode::kConfigInvalidValue, message)});
  };
  for (const std::string_view option : {"header", "delimiter", "quote", "null_text"}) {
    if (options.format != FileSinkFormat::kCsv && table.options.contains(option)) {
      refuse(option, fmt::format("{} is for format = 'csv'", option));
    }
  }
  const csv::Dialect dialect = options.dialect();
  if (dialect.delimiter == dialect.quote) {
    refuse("quote", "delimiter and quote must differ");
  }
  const std::string special = {dialect.delimiter, dialect.quote, '\n', '\r'};
  if (options.null_text.find_first_of(special) != std::string::npos) {
    refuse("null_text", "null_text may hold neither delimiter nor quote nor line end");
  }
  if (table.schema->Find(options.change_column)) {
    refuse("change_column", fmt::format("{} is a column", options.change_column));
  }
}

bool ShowsChanges(const TableDefinition& table) {
  return !ReadConnectorOptions(table, FileSinkOptionTable()).change_column.empty();
}

Result<std::unique_ptr<Sink>> MakeSink(const TableDefinition& table, const SinkContext& context) {
  const auto options = ReadConnectorOptions(table, FileSinkOptionTable());
  const bool is_absolute = options.path.starts_with('/') || context.project_dir.empty();
  return std::make_unique<FileSink>(
      options, table, context.files,
      is_absolute ? options.path : JoinPath(context.project_dir, options.path));
}

}  // namespace

Connector MakeFileConnector() {
  return {.name = "file",
          .help = "Records of files, read to their end or followed as they grow.",
          .option_tables = {&FileOptionTable(), &IngestOptionTable()},
          .column_options = &FieldOptionTable(),
          .check = Check,
          .preflight = Preflight,
          .open = Open,
          .sink_option_tables = {&FileSinkOptionTable()},
          .check_sink = CheckSink,
          .shows_changes = ShowsChanges,
          .make_sink = MakeSink,
          .can_be_direct = true,
          .can_skip_columns = CanSkipColumns,
          .error_format = ErrorFormat};
}

}  // namespace millrace
