#include "records.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/data/column_builder.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace::bench {

namespace {

constexpr Micros kStart = 1'714'564'800'000'000;  // 2024-05-01 12:00:00 UTC

std::string RandomLetters(Rng& rng, size_t size) {
  std::string text(size, ' ');
  std::ranges::generate(text, [&] { return static_cast<char>('a' + rng.Below(26)); });
  return text;
}

/// Writes each row both ways.
class RecordWriter {
 public:
  explicit RecordWriter(SchemaPtr schema) : schema_(std::move(schema)) {
    for (const Field& field : schema_->fields()) {
      builders_.emplace_back(field.type);
    }
  }

  void Add(const std::vector<Value>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const Field& field = schema_->field(i);
      const std::string text = FormatValue(row[i], field.type);
      const bool quoted = field.type.is_variable() || field.type.id == TypeId::kTimestamptz;
      ndjson_ += fmt::format("{}\"{}\":{}{}{}", i == 0 ? "{" : ",", field.name, quoted ? "\"" : "",
                             text, quoted ? "\"" : "");
      AppendValue(builders_[i], row[i]);
    }
    ndjson_ += "}\n";
    ++rows_;
  }

  Records Finish() {
    std::vector<Column> columns;
    columns.reserve(builders_.size());
    for (ColumnBuilder& builder : builders_) {
      columns.push_back(builder.Finish());
    }
    return {schema_, std::move(ndjson_), Batch::Make(schema_, std::move(columns), rows_)};
  }

 private:
  SchemaPtr schema_;
  std::vector<ColumnBuilder> builders_;
  std::string ndjson_;
  size_t rows_ = 0;
};

}  // namespace

Records NexmarkBids(size_t rows, uint64_t seed) {
  constexpr std::array<std::string_view, 4> kHot = {"Google", "Facebook", "Baidu", "Apple"};
  const DataType big = DataType::Of(TypeId::kInt64);
  const DataType text = DataType::Of(TypeId::kText);
  RecordWriter writer(MakeSchema({{.name = "auction", .type = big},
                                  {.name = "bidder", .type = big},
                                  {.name = "price", .type = big},
                                  {.name = "channel", .type = text},
                                  {.name = "url", .type = text},
                                  {.name = "dateTime", .type = DataType::Of(TypeId::kTimestamptz)},
                                  {.name = "extra", .type = text}}));
  Rng rng(seed);
  Micros at = kStart;
  for (size_t row = 0; row < rows; ++row) {
    const bool hot = rng.Chance(0.5);
    const uint64_t channel = rng.Below(hot ? kHot.size() : 10'000);
    Rng path(hot ? channel : rng.Next());
    const std::string url =
        fmt::format("https://www.nexmark.com/{}/{}/{}/item.htm?query=1{}", RandomLetters(path, 5),
                    RandomLetters(path, 5), RandomLetters(path, 5),
                    hot ? std::string() : fmt::format("&channel_id={}", channel));
    at += static_cast<Micros>(rng.Below(3)) * 1000;
    writer.Add({Value(static_cast<int64_t>(1000 + row / 50 + rng.Below(100))),
                Value(static_cast<int64_t>(1000 + rng.Below(20'000))),
                Value(static_cast<int64_t>(100 + rng.Below(1'000'000))),
                Value(hot ? std::string(kHot[channel]) : fmt::format("channel-{}", channel)),
                Value(url), Value(at), Value(RandomLetters(rng, 24 + rng.Below(24)))});
  }
  return writer.Finish();
}

Records WebClicks(size_t rows, uint64_t seed) {
  constexpr std::array<std::string_view, 6> kCountries = {"DE", "US", "FR", "GB", "JP", "BR"};
  constexpr std::array<std::string_view, 3> kAgents = {
      "Mozilla/5.0 (X11; Linux x86_64) Firefox/126.0", "Mozilla/5.0 (iPhone) Safari/604.1",
      "Mozilla/5.0 (Windows NT 10.0) Chrome/124.0"};
  const DataType text = DataType::Of(TypeId::kText);
  RecordWriter writer(MakeSchema({{.name = "user_id", .type = text},
                                  {.name = "url", .type = text},
                                  {.name = "price", .type = DataType::Numeric(12, 2)},
                                  {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)},
                                  {.name = "session", .type = text},
                                  {.name = "country", .type = text},
                                  {.name = "agent", .type = text}}));
  Rng rng(seed);
  Micros at = kStart;
  for (size_t row = 0; row < rows; ++row) {
    at += static_cast<Micros>(rng.Below(2000));
    const Uuid session = std::bit_cast<Uuid>(std::array{rng.Next(), rng.Next()});
    writer.Add(
        {Value(fmt::format("user-{}", rng.Below(1 + rng.Below(100'000)))),
         Value(fmt::format("/products/{}/details?campaign={}", rng.Below(5000), rng.Below(20))),
         Value(Int128{static_cast<int64_t>(100 + rng.Below(50'000))}), Value(at),
         Value(FormatUuid(session)), Value(std::string(kCountries[rng.Below(6)])),
         Value(std::string(kAgents[rng.Below(3)]))});
  }
  return writer.Finish();
}

}  // namespace millrace::bench
