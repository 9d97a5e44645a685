#include "millrace/connect/file/file_options.h"

#include <string_view>

#include <fmt/format.h>

#include "millrace/codec/csv_decoder.h"
#include "millrace/codec/line_decoder.h"
#include "millrace/connect/file/csv_character.h"

namespace millrace {

const OptionTable<FileOptions>& FileOptionTable() {
  static const OptionTable<FileOptions> kTable = [] {
    OptionTable<FileOptions> table;
    table
        .Add("path", &FileOptions::path,
             "A file, or a glob over files; relative to the project directory.")
        .Required();
    table.AddChoice(
        "format", &FileOptions::format,
        {{"json", FileFormat::kJson}, {"csv", FileFormat::kCsv}, {"regex", FileFormat::kRegex}},
        "What a record is: a line with a JSON object, a record of CSV, or a line that "
        "`pattern` takes apart.");
    table.Add("pattern", &FileOptions::pattern,
              "Regular expression (RE2) over a whole line, for format = 'regex'; its named groups "
              "are the columns of those names.");
    table.Add("header", &FileOptions::header,
              "Whether the first record of each file names its fields, for format = 'csv'; else "
              "they are the columns in order.");
    table
        .Add("delimiter", &FileOptions::delimiter,
             "The character between fields, for format = 'csv'; tab for a tabulator.")
        .Check([](const FileOptions& options) {
          return CheckCsvCharacter(options.delimiter, /*may_miss=*/false);
        });
    table
        .Add("quote", &FileOptions::quote,
             "The character around fields that hold delimiters, for format = 'csv'; doubled within "
             "them. Empty for none.")
        .Check([](const FileOptions& options) {
          return CheckCsvCharacter(options.quote, /*may_miss=*/true);
        });
    table
        .Add("escape", &FileOptions::escape,
             "A character that takes the meaning from the next one, for format = 'csv', such as a "
             "backslash. Empty for none.")
        .Check([](const FileOptions& options) {
          return CheckCsvCharacter(options.escape, /*may_miss=*/true);
        });
    table.Add("null_text", &FileOptions::null_text,
              "What stands for NULL when it is not quoted, for format = 'csv'.");
    table.AddChoice("mode", &FileOptions::mode,
                    {{"bounded", FileMode::kBounded}, {"follow", FileMode::kFollow}},
                    "Whether the input ends with the files that are there, or is followed.");
    table
        .Add("poll_interval", &FileOptions::poll_interval,
             "How often followed files are looked at for growth, rotation and new ones.")
        .Between("10 ms", "1 h");
    return table;
  }();
  return kTable;
}

csv::Dialect FileOptions::dialect() const {
  return {.delimiter = CsvCharacterOf(delimiter),
          .quote = CsvCharacterOf(quote),
          .escape = CsvCharacterOf(escape)};
}

RecordCutter MakeFileCutter(const FileOptions& options) {
  return options.format == FileFormat::kCsv ? RecordCutter(options.dialect()) : RecordCutter();
}

Result<std::unique_ptr<RecordDecoder>> MakeFileDecoder(const FileOptions& options,
                                                       const SchemaPtr& schema,
                                                       JsonDecoderOptions json) {
  if (options.format == FileFormat::kJson) {
    json.framing = JsonFraming::kLines;
    return std::make_unique<JsonDecoder>(schema, json);
  }
  if (options.format == FileFormat::kCsv) {
    return std::make_unique<CsvDecoder>(schema,
                                        CsvDecoderOptions{.dialect = options.dialect(),
                                                          .header = options.header,
                                                          .null_text = options.null_text,
                                                          .undeclared = json.undeclared,
                                                          .timestamp_format = json.timestamp_format,
                                                          .time_zone = json.time_zone,
                                                          .names = json.paths,
                                                          .record_bytes_max = json.record_bytes_max,
                                                          .keep_originals = json.keep_originals});
  }
  MR_ASSIGN(auto decoder, LineDecoder::Create(schema, {.pattern = options.pattern,
                                                       .timestamp_format = json.timestamp_format,
                                                       .time_zone = json.time_zone,
                                                       .record_bytes_max = json.record_bytes_max}));
  return decoder;
}

}  // namespace millrace
