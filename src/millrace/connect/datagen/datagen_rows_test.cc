#include "millrace/connect/datagen/datagen_rows.h"

#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/connect/connector.h"
#include "millrace/connect/datagen/zipf.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr Micros kStart = 1'767'225'600'000'000;  // 2026-01-01

using Options = std::map<std::string, std::string>;

TableDefinition Table(std::vector<Field> fields, const Options& options) {
  TableDefinition table;
  table.name = "t";
  table.location = {"t.sql", 1, 14};
  table.schema = MakeSchema(std::move(fields));
  table.options["connector"] = {"datagen", {"t.sql", 2, 3}};
  int line = 3;
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {"t.sql", line++, 3}};
  }
  return table;
}

std::string Errors(std::vector<Field> fields, const Options& options) {
  std::vector<ProjectError> errors;
  CheckConnector(Table(std::move(fields), options), errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return text;
}

std::unique_ptr<DatagenRows> Rows(const TableDefinition& table) {
  std::vector<ProjectError> errors;
  CheckConnector(table, errors);
  const auto options = ReadConnectorOptions(table, DatagenOptionTable(), errors);
  auto rows = DatagenRows::Create(table, options, kStart, errors);
  EXPECT_TRUE(errors.empty()) << errors.front().ToString();
  return rows;
}

/// The values of a column `v` alone, as text.
std::vector<std::string> Values(DataType type, const Options& options, size_t count,
                                uint64_t first = 0) {
  const auto batch = Rows(Table({{.name = "v", .type = type}}, options))->Make(first, count);
  std::vector<std::string> values;
  values.reserve(count);
  for (size_t row = 0; row < count; ++row) {
    values.push_back(FormatValue(ValueAt(batch->column(0), row), type));
  }
  return values;
}

const DataType kBigint = DataType::Of(TypeId::kInt64);
const DataType kText = DataType::Of(TypeId::kText);

TEST(DatagenRows, GivesTheSameRowHoweverItIsMade) {
  const std::vector<Field> fields = {{.name = "a", .type = kBigint},
                                     {.name = "b", .type = kText},
                                     {.name = "c", .type = DataType::Of(TypeId::kFloat64)},
                                     {.name = "d", .type = DataType::Of(TypeId::kUuid)},
                                     {.name = "e", .type = DataType::Of(TypeId::kTimestamptz)}};
  const Options options = {
      {"a.kind", "zipf"},         {"b.length_min", "3"}, {"b.length_max", "30"},
      {"c.null_share", "0.5"},    {"seed", "7"},         {"out_of_order_share", "0.2"},
      {"out_of_order_max", "5 s"}};
  const auto all = Rows(Table(fields, options))->Make(0, 300);
  const auto again = Rows(Table(fields, options));
  for (const size_t row : {299U, 0U, 17U, 123U}) {
    const auto one = again->Make(row, 1);
    for (size_t i = 0; i < fields.size(); ++i) {
      EXPECT_EQ(ValueAt(one->column(i), 0), ValueAt(all->column(i), row));
    }
  }
  // Each column for itself, and others with another seed.
  EXPECT_EQ(Values(DataType::Of(TypeId::kFloat64), {{"seed", "7"}}, 50),
            Values(DataType::Of(TypeId::kFloat64), {{"seed", "7"}, {"rows", "50"}}, 50));
  EXPECT_NE(Values(kText, {{"seed", "7"}}, 5), Values(kText, {{"seed", "8"}}, 5));
}

TEST(DatagenRows, CountsUp) {
  EXPECT_THAT(Values(kBigint, {{"v.kind", "sequence"}}, 3, 5), ElementsAre("6", "7", "8"));
  EXPECT_THAT(
      Values(DataType::Of(TypeId::kInt16),
             {{"v.kind", "sequence"}, {"v.start", "-3"}, {"v.step", "4"}, {"v.max", "6"}}, 5),
      ElementsAre("-3", "1", "5", "-3", "1"));
  EXPECT_THAT(Values(DataType::Of(TypeId::kInt16), {{"v.kind", "sequence"}}, 2, 32766),
              ElementsAre("32767", "1"));
  EXPECT_THAT(Values(kText, {{"v.kind", "sequence"}, {"v.prefix", "user-"}, {"v.start", "0"}}, 2),
              ElementsAre("user-0", "user-1"));
  EXPECT_THAT(Values(DataType::Numeric(6, 2), {{"v.kind", "sequence"}}, 2),
              ElementsAre("1.00", "2.00"));
  EXPECT_THAT(Values(DataType::Of(TypeId::kFloat64), {{"v.kind", "sequence"}}, 1),
              ElementsAre("1"));
}

TEST(DatagenRows, SpreadsNumbersEvenly) {
  std::map<std::string, int> counts;
  for (const std::string& value : Values(kBigint, {{"v.min", "-2"}, {"v.max", "2"}}, 50'000)) {
    ++counts[value];
  }
  ASSERT_EQ(counts.size(), 5U);
  for (const auto& [value, count] : counts) {
    EXPECT_NEAR(count, 10'000, 400) << value;
  }
  EXPECT_THAT(
      Values(kBigint, {{"v.min", "-9223372036854775808"}, {"v.max", "9223372036854775807"}}, 1),
      ElementsAre(testing::Not("0")));
  std::set<std::string> prices;
  for (const std::string& value :
       Values(DataType::Numeric(8, 2), {{"v.min", "0.99"}, {"v.max", "1.01"}}, 200)) {
    prices.insert(value);
  }
  EXPECT_THAT(prices, ElementsAre("0.99", "1.00", "1.01"));
  for (const std::string& value :
       Values(DataType::Of(TypeId::kFloat64), {{"v.min", "1e3"}, {"v.max", "1001"}}, 100)) {
    EXPECT_GE(std::stod(value), 1000);
    EXPECT_LT(std::stod(value), 1001);
  }
  std::map<std::string, int> truths;
  for (const std::string& value : Values(DataType::Of(TypeId::kBoolean), {}, 10'000)) {
    ++truths[value];
  }
  EXPECT_NEAR(truths["true"], 5000, 200);
  for (const std::string& value : Values(DataType::Of(TypeId::kUuid), {}, 20)) {
    EXPECT_EQ(value[14], '4');
    EXPECT_NE(std::string("89ab").find(value[19]), std::string::npos);
  }
}

TEST(DatagenRows, DrawsSmallNumbersOftenByZipf) {
  constexpr size_t kDraws = 200'000;
  for (const double exponent : {0.5, 1.0, 1.5, 3.0}) {
    for (const int64_t count : {1, 2, 10, 1'000'000}) {
      const Zipf zipf(count, exponent);
      std::map<int64_t, size_t> counts;
      for (size_t i = 0; i < kDraws; ++i) {
        ++counts[zipf.Sample(Draws(MixSeed(3), i), 2)];
      }
      EXPECT_GE(counts.begin()->first, 1);
      EXPECT_LE(counts.rbegin()->first, count);
      double sum = 0;
      for (int64_t k = 1; k <= count; ++k) {
        sum += std::pow(static_cast<double>(k), -exponent);
      }
      for (int64_t k = 1; k <= std::min<int64_t>(count, 5); ++k) {
        const double expected =
            static_cast<double>(kDraws) * std::pow(static_cast<double>(k), -exponent) / sum;
        EXPECT_NEAR(static_cast<double>(counts[k]), expected, 5 * std::sqrt(expected) + 1)
            << k << " of " << count << " by " << exponent;
      }
    }
  }
  EXPECT_THAT(Values(kText, {{"v.kind", "zipf"}, {"v.count", "1"}, {"v.prefix", "u"}}, 2),
              Each("u1"));
}

TEST(DatagenRows, ChoosesByWeight) {
  std::map<std::string, int> counts;
  for (const std::string& value :
       Values(kText, {{"v.kind", "choice"}, {"v.values", "/a, /b, /c"}, {"v.weights", "3, 0, 1"}},
              40'000)) {
    ++counts[value];
  }
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_NEAR(counts["/a"], 30'000, 500);
  EXPECT_NEAR(counts["/c"], 10'000, 500);
  EXPECT_THAT(Values(DataType::Of(TypeId::kInterval), {{"v.values", "1 day"}}, 2), Each("1 day"));
  EXPECT_THAT(Values(DataType::Of(TypeId::kJsonb), {{"v.values", "{\"a\": [1]}"}}, 1),
              ElementsAre("{\"a\": [1]}"));
}

TEST(DatagenRows, WritesLetters) {
  std::set<size_t> sizes;
  for (const std::string& value :
       Values(kText, {{"v.length_min", "0"}, {"v.length_max", "20"}}, 1000)) {
    sizes.insert(value.size());
    EXPECT_EQ(value.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  }
  EXPECT_EQ(sizes.size(), 21U);
  EXPECT_EQ(Values(kText, {}, 1)[0].size(), 10U);
  EXPECT_EQ(Values(kText, {{"v.length_max", "4"}}, 1)[0].size(), 4U);
}

TEST(DatagenRows, LeavesOutAShare) {
  size_t nulls = 0;
  for (const std::string& value : Values(kBigint, {{"v.null_share", "0.25"}}, 10'000)) {
    nulls += value == "NULL" ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(nulls), 2500, 200);
  EXPECT_THAT(Values(kBigint, {{"v.null_share", "1"}}, 10), Each("NULL"));
}

TEST(DatagenRows, SpacesTimes) {
  const DataType type = DataType::Of(TypeId::kTimestamptz);
  EXPECT_THAT(Values(type, {}, 2), ElementsAre("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"));
  EXPECT_THAT(Values(type, {{"rate", "3"}, {"start_time", "2020-01-01"}}, 4),
              ElementsAre("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.333333Z",
                          "2020-01-01T00:00:00.666666Z", "2020-01-01T00:00:01Z"));
  EXPECT_THAT(Values(type, {{"rate", "3"}, {"time_step", "1 h"}}, 2),
              ElementsAre("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"));
  EXPECT_THAT(Values(DataType::Of(TypeId::kDate), {{"time_step", "1 d"}}, 2),
              ElementsAre("2026-01-01", "2026-01-02"));
  EXPECT_THAT(Values(type, {{"time_step", "365 d"}}, 1, 1'000'000'000),
              ElementsAre("9999-12-31T23:59:59.999999Z"));
}

TEST(DatagenRows, TakesSomeRowsBackInTime) {
  TableDefinition table =
      Table({{.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}},
            {{"time_step", "1 s"}, {"out_of_order_share", "0.1"}, {"out_of_order_max", "10 s"}});
  table.event_time = 0;
  const auto rows = Rows(table);
  const auto batch = rows->Make(0, 20'000);
  const auto times = batch->column(0).Values<Micros>();
  size_t late = 0;
  for (size_t row = 0; row < times.size(); ++row) {
    const Micros in_order = kStart + static_cast<Micros>(row) * kMicrosPerSecond;
    late += times[row] < in_order ? 1 : 0;
    EXPECT_LE(times[row], in_order);
    EXPECT_GE(times[row], in_order - 10 * kMicrosPerSecond);
    EXPECT_GE(times[row], rows->EarliestFrom(row));
  }
  EXPECT_NEAR(static_cast<double>(late), 2000, 200);
  EXPECT_EQ(rows->EarliestFrom(20), kStart + 10 * kMicrosPerSecond);
}

TEST(DatagenConnector, RefusesWhatMakesNoSense) {
  const Field number{.name = "n", .type = kBigint};
  const Field text{.name = "t", .type = kText};
  EXPECT_EQ(Errors({number, text}, {{"n.kind", "zipf"}, {"rows", "5"}}), "");
  const auto one = [](const Field& field, const Options& options) {
    std::string errors = Errors({field}, options);
    return errors.substr(0, errors.size() - 1);
  };
  EXPECT_EQ(one(number, {{"n.kind", "gauss"}}),
            "t.sql:3:3: MR1003: kind: expected one of sequence, uniform, zipf, choice, text, time, "
            "got 'gauss'");
  EXPECT_EQ(one(number, {{"n.kind", "text"}}),
            "t.sql:3:3: MR2008: text does not make values of type bigint");
  EXPECT_EQ(one(text, {{"t.kind", "time"}}),
            "t.sql:3:3: MR2008: time does not make values of type text");
  EXPECT_EQ(one(number, {{"n.values", "1,2"}}),
            "t.sql:3:3: MR1003: n.values is for columns of another kind");
  EXPECT_EQ(one(number, {{"n.prefix", "x"}}), "t.sql:3:3: MR1003: n.prefix is for text");
  EXPECT_EQ(one(number, {{"n.max", "-1"}}), "t.sql:3:3: MR1003: max is below min in column n");
  EXPECT_EQ(one(number, {{"n.min", "x"}}),
            "t.sql:3:3: MR1003: expected a number of type bigint, got 'x'");
  EXPECT_EQ(one(text, {{"t.kind", "choice"}}),
            "t.sql:1:14: MR1003: column t needs values to choose from");
  EXPECT_EQ(one(text, {{"t.kind", "choice"}, {"t.values", "a,b"}, {"t.weights", "1"}}),
            "t.sql:5:3: MR1003: 1 weights for 2 values");
  EXPECT_EQ(one(text, {{"t.kind", "choice"}, {"t.values", "a"}, {"t.weights", "0"}}),
            "t.sql:5:3: MR1003: at least one weight must be above 0");
  EXPECT_EQ(one(text, {{"t.length_min", "5"}, {"t.length_max", "4"}}),
            "t.sql:3:3: MR1003: length_max is below length_min in column t");
  EXPECT_EQ(one({.name = "n", .type = kBigint, .nullable = false}, {{"n.null_share", "0.1"}}),
            "t.sql:3:3: MR1003: n is NOT NULL");
  EXPECT_EQ(one(number, {{"n.null_share", "2"}}),
            "t.sql:3:3: MR1003: null_share: expected 0 .. 1, got 2");
  EXPECT_EQ(one({.name = "n", .type = DataType::Of(TypeId::kInt16)},
                {{"n.kind", "zipf"}, {"n.count", "40000"}}),
            "t.sql:3:3: MR1003: 40000 does not fit the column's type");
  EXPECT_EQ(one(number, {{"start_time", "soon"}}),
            "t.sql:3:3: MR1003: start_time: expected a timestamp or now, got 'soon'");
  EXPECT_EQ(one(number, {{"m.kind", "zipf"}}),
            "t.sql:3:3: MR2005: table t has no column 'm' (did you mean 'n'?)");
}

}  // namespace
}  // namespace millrace
