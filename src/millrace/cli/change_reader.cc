#include "millrace/cli/change_reader.h"

#include <fmt/format.h>

#include "millrace/cli/column_type.h"
#include "millrace/cli/listing.h"
#include "millrace/codec/json_decoder.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

constexpr int kRecordsPerRequest = 10'000;
constexpr std::string_view kRecordsKey = "{\"records\":";
constexpr std::string_view kNextKey = ",\"next\":\"";

Error NotOurs() {
  return Error(ErrorCode::kServerUnreachable, "the server's answer is not Millrace's");
}

/// 2015-07-15 00:00:00.123 of 2015-07-15T00:00:00[.123[456]]Z.
void AppendTime(std::string& out, Micros time) {
  constexpr size_t kTimeOfDay = 10;
  constexpr size_t kFraction = 19;
  constexpr size_t kEnd = kFraction + 4;
  std::string text = FormatTimestamptz(time);
  text.pop_back();
  text[kTimeOfDay] = ' ';
  text += text.size() == kFraction ? "." : "";
  text.resize(kEnd, '0');
  fmt::format_to(std::back_inserter(out), "\"{}\"", text);
}

struct Answer {
  BufferPtr records;
  std::string next;
};

Result<Answer> Split(std::string_view body) {
  const size_t at = body.rfind(kNextKey);
  const size_t end = body.rfind('"');
  if (!body.starts_with(kRecordsKey) || at == std::string_view::npos ||
      end < at + kNextKey.size()) {
    return Err(NotOurs());
  }
  return Answer{.records = PaddedBuffer(body.substr(kRecordsKey.size(), at - kRecordsKey.size())),
                .next = std::string(body.substr(at + kNextKey.size(), end - at - kNextKey.size()))};
}

}  // namespace

/// Records decode to their weight and the columns: JsonColumnType says as what.
struct ChangeReader::Columns {
  SchemaPtr schema;
  JsonDecoderOptions options;
  std::vector<std::string> keys;  ///< `{"a":` and `,"b":`

  static std::unique_ptr<Columns> Make(const boost::json::array& columns) {
    auto made = std::make_unique<Columns>();
    std::vector<Field> fields{
        {.name = "$weight", .type = DataType::Of(TypeId::kInt64), .nullable = false}};
    made->options = {.framing = JsonFraming::kDocument,
                     .paths = {{"$weight", {{"weight"}}}},
                     .record_bytes_max = SIZE_MAX};
    for (const auto& column : columns) {
      const std::string name = TextOf(column.get_object(), "name");
      fields.push_back({.name = name,
                        .type = JsonColumnType(TextOf(column.get_object(), "type")),
                        .nullable = true});
      made->options.paths[name] = {{"row", name}};
      made->keys.push_back(fmt::format("{}{}:", made->keys.empty() ? "{" : ",",
                                       boost::json::serialize(boost::json::string(name))));
    }
    made->schema = MakeSchema(std::move(fields));
    return made;
  }

  void AppendRow(const Batch& batch, size_t row, std::string& out) const {
    for (size_t i = 0; i < keys.size(); ++i) {
      const Column& column = batch.column(i + 1);
      out += keys[i];
      if (column.type().id == TypeId::kTimestamptz && !column.IsNull(row)) {
        AppendTime(out, column.Values<int64_t>()[row]);
      } else {
        AppendValueJson(column, row, out);
      }
    }
    out += '}';
  }
};

ChangeReader::ChangeReader(HttpClient& client, std::string path, std::unique_ptr<Columns> columns)
    : client_(client), path_(std::move(path)), columns_(std::move(columns)) {}
ChangeReader::ChangeReader(ChangeReader&&) noexcept = default;
ChangeReader::~ChangeReader() = default;

Result<ChangeReader> ChangeReader::Open(HttpClient& client, const std::string& view) {
  MR_ASSIGN(const auto views, ReadList(client, "views"));
  for (const auto& item : views) {
    const boost::json::object& object = item.get_object();
    if (TextOf(object, "name") != view) {
      continue;
    }
    const auto* columns = object.if_contains("columns");
    if (columns == nullptr || !columns->is_array()) {
      return Err(NotOurs());
    }
    return ChangeReader(client, fmt::format("/api/v1/streams/{}/records", EncodePathSegment(view)),
                        Columns::Make(columns->get_array()));
  }
  return Err(ErrorCode::kSqlUnknownRelation, fmt::format("there is no view {}", view));
}

Status ChangeReader::Read(const std::function<Status(std::string_view, int64_t)>& visit) {
  JsonDecoder decoder(columns_->schema, columns_->options);
  DecodedRecords records;
  std::string from;
  std::string row;
  while (true) {
    MR_ASSIGN(const std::string body,
              client_.Get(fmt::format("{}?limit={}{}{}", path_, kRecordsPerRequest,
                                      from.empty() ? "" : "&from=", from)));
    MR_ASSIGN(Answer answer, Split(body));
    decoder.Decode(answer.records, records);
    if (!records.errors.empty()) {
      return Err(NotOurs());
    }
    for (size_t i = 0; records.batch != nullptr && i < records.batch->rows(); ++i) {
      row.clear();
      columns_->AppendRow(*records.batch, i, row);
      MR_TRY(visit(row, records.batch->column(0).Values<int64_t>()[i]));
    }
    if (records.records == 0) {
      return {};
    }
    from = std::move(answer.next);
  }
}

}  // namespace millrace
