#include "millrace/cli/load_body.h"

#include <cstring>

#include <fmt/format.h>

#include "millrace/data/json_text.h"

namespace millrace {

namespace {

constexpr std::string_view kTime = "\"2026-01-01T00:00:00.000Z\"";
constexpr size_t kClockAt = 12;  // Of 00:00:00.000 within it.
constexpr std::string_view kStamp = "1000000000000000";
constexpr Micros kStampBase = 1'000'000'000'000'000;  // So that all have 16 digits.

constexpr uint64_t kKeysMax = 1'000'000'000;

/// What a column gets in each record; text between quotes where JSON wants them.
using ValueMaker = std::function<void(Rng&, LoadBody&)>;

template <typename Make>
ValueMaker Number(Make make) {
  return [make](Rng& rng, LoadBody& body) { body.Add(fmt::format("{}", make(rng))); };
}

Result<ValueMaker> ValueFor(const LoadColumn& column) {
  const std::string_view type = std::string_view(column.type).substr(0, column.type.find('('));
  if (type == "bigint" || type == "integer") {
    return Number([](Rng& rng) { return rng.Below(1'000'000'000); });
  }
  if (type == "smallint") {
    return Number([](Rng& rng) { return rng.Below(30'000); });
  }
  if (type == "numeric" || type == "real" || type == "double precision") {
    return Number([](Rng& rng) { return static_cast<double>(rng.Below(100)) / 4; });
  }
  if (type == "boolean") {
    return Number([](Rng& rng) { return rng.Below(2) == 1; });
  }
  if (type == "text") {
    return ValueMaker([name = column.name](Rng& rng, LoadBody& body) {
      std::string text;
      AppendJsonString(text, fmt::format("{}-{}", name, rng.Below(1000)));
      body.Add(text);
    });
  }
  if (type == "timestamptz") {
    return ValueMaker([](Rng&, LoadBody& body) { body.AddTime(); });
  }
  if (type == "date") {
    return ValueMaker([](Rng&, LoadBody& body) { body.Add("\"2026-01-01\""); });
  }
  if (type == "jsonb") {
    return ValueMaker(
        [](Rng& rng, LoadBody& body) { body.Add(fmt::format("{{\"n\":{}}}", rng.Below(1000))); });
  }
  return Err(
      ErrorCode::kNotImplemented,
      fmt::format("there are no test values for column {} of type {}", column.name, column.type));
}

}  // namespace

void LoadBody::AddTime() {
  times_.push_back(text_.size() + kClockAt);
  text_ += kTime;
}

void LoadBody::AddStamp() {
  stamps_.push_back(text_.size());
  text_ += kStamp;
}

void LoadBody::AddKey(uint64_t number) {
  keys_.push_back(text_.size());
  text_ += fmt::format("{:09}", number % kKeysMax);
}

void LoadBody::SetKeys(uint64_t first) {
  for (const size_t place : keys_) {
    const std::string key = fmt::format("{:09}", first++ % kKeysMax);
    std::memcpy(text_.data() + place, key.data(), key.size());
  }
}

void LoadBody::EndRecord() {
  text_ += '\n';
  ++records_;
}

void LoadBody::SetTime(Micros since, Micros due) {
  const std::string time =
      fmt::format("{:02}:{:02}:{:02}.{:03}", since / 3'600'000'000 % 24, since / 60'000'000 % 60,
                  since / 1'000'000 % 60, since / 1'000 % 1'000);
  const std::string stamp = fmt::format("{:016}", due + kStampBase);
  for (const size_t place : times_) {
    std::memcpy(text_.data() + place, time.data(), time.size());
  }
  for (const size_t place : stamps_) {
    std::memcpy(text_.data() + place, stamp.data(), stamp.size());
  }
}

Micros LoadBody::DueOf(int64_t stamp) { return stamp - kStampBase; }

LoadBody MakeLoadBody(const LoadRecordMaker& make, Rng& rng, size_t bytes, size_t records_max) {
  LoadBody body;
  while (body.text().size() < bytes && body.records() < records_max) {
    make(rng, body);
    body.EndRecord();
  }
  return body;
}

LoadRecordMaker MakeClicks(int urls) {
  return [urls](Rng& rng, LoadBody& body) {
    body.Add(fmt::format(
        "{{\"id\":{},\"user_id\":\"user-{:07}\",\"session\":\"{:016x}\",\"url\":\"/shop/item/",
        100'000'000 + rng.Below(900'000'000), rng.Below(1'000'000), rng.Next()));
    body.AddKey(100'000'000 + rng.Below(static_cast<uint64_t>(urls)));
    body.Add(fmt::format(
        "/details\",\"referrer\":\"https://www.example.com/search?q={}\",\"price\":{}.{:02},"
        "\"sent\":",
        rng.Below(100'000), 1 + rng.Below(1000), rng.Below(100)));
    body.AddStamp();
    body.Add(",\"at\":");
    body.AddTime();
    body.Add("}");
  };
}

std::string_view ClicksSql() {
  return R"(CREATE TABLE clicks (
  id bigint NOT NULL, user_id text NOT NULL, session text NOT NULL, url text NOT NULL,
  referrer text, price numeric(12,2), sent bigint NOT NULL, at timestamptz NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '5 seconds');

CREATE MATERIALIZED VIEW clicks_per_minute AS
SELECT window_start, url, count(*) AS n
FROM tumble(clicks, at, interval '1 minute') GROUP BY window_start, window_end, url;
)";
}

Result<LoadRecordMaker> MakeRecords(const std::vector<LoadColumn>& columns) {
  std::vector<std::pair<std::string, ValueMaker>> members;
  for (const LoadColumn& column : columns) {
    MR_ASSIGN(ValueMaker value, ValueFor(column));
    std::string name = members.empty() ? "{" : ",";
    AppendJsonString(name, column.name);
    members.emplace_back(name + ":", std::move(value));
  }
  return [members = std::move(members)](Rng& rng, LoadBody& body) {
    for (const auto& [name, value] : members) {
      body.Add(name);
      value(rng, body);
    }
    body.Add("}");
  };
}

}  // namespace millrace
