#include "millrace/connect/file/file_options.h"

#include "millrace/codec/line_decoder.h"

namespace millrace {

const OptionTable<FileOptions>& FileOptionTable() {
  static const OptionTable<FileOptions> kTable = [] {
    OptionTable<FileOptions> table;
    table
        .Add("path", &FileOptions::path,
             "A file, or a glob over files; relative to the project directory.")
        .Required();
    table.AddChoice("format", &FileOptions::format,
                    {{"json", FileFormat::kJson}, {"regex", FileFormat::kRegex}},
                    "What a line is: a JSON object, or text that `pattern` takes apart.");
    table.Add("pattern", &FileOptions::pattern,
              "Regular expression (RE2) over a whole line, for format = 'regex'; its named groups "
              "are the columns of those names.");
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

Result<std::unique_ptr<RecordDecoder>> MakeFileDecoder(const FileOptions& options,
                                                       const SchemaPtr& schema,
                                                       JsonDecoderOptions json) {
  if (options.format == FileFormat::kJson) {
    json.framing = JsonFraming::kLines;
    return std::make_unique<JsonDecoder>(schema, json);
  }
  MR_ASSIGN(auto decoder, LineDecoder::Create(schema, {.pattern = options.pattern,
                                                       .timestamp_format = json.timestamp_format,
                                                       .time_zone = json.time_zone,
                                                       .record_bytes_max = json.record_bytes_max}));
  return decoder;
}

}  // namespace millrace
