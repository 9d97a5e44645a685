#include "millrace/app/row_query.h"

#include <cmath>

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"

namespace millrace {
namespace {

using serve::FilterOperator;
using serve::ViewQuery;

const SchemaPtr kSchema =
    MakeSchema({{.name = "key", .type = DataType::Of(TypeId::kText), .nullable = false},
                {.name = "n", .type = DataType::Of(TypeId::kInt64)},
                {.name = "share", .type = DataType::Of(TypeId::kFloat64)}});

struct Row {
  const char* key = nullptr;
  std::optional<int64_t> n;
  double share = 0;
};

BatchPtr Rows(std::initializer_list<Row> rows) {
  ColumnBuilder keys(kSchema->field(0).type);
  ColumnBuilder ns(kSchema->field(1).type);
  ColumnBuilder shares(kSchema->field(2).type);
  for (const Row& row : rows) {
    keys.AppendText(row.key);
    row.n ? ns.AppendFixed(*row.n) : ns.AppendNull();
    shares.AppendFixed(row.share);
  }
  return Batch::Make(kSchema, {keys.Finish(), ns.Finish(), shares.Finish()}, rows.size());
}

const BatchPtr kRows = Rows({{"b", 2}, {"a", 1}, {"d", std::nullopt}, {"c", 2}, {"e", -5}});

/// The keys of one page in order, and the cursor to the next page.
struct Page {
  std::string keys;
  std::string cursor;
};

Page Ask(const ViewQuery& query, const BatchPtr& rows = kRows,
         std::span<const int64_t> counts = {}) {
  auto row_query = RowQuery::Make(kSchema, query);
  EXPECT_TRUE(row_query) << row_query.error().ToString();
  row_query->Add(*rows, counts);
  std::string json;
  row_query->AppendAnswer(json);
  Page page;
  constexpr std::string_view kKey = "\"key\":\"";
  for (size_t at = json.find(kKey); at != std::string::npos; at = json.find(kKey, at + 1)) {
    page.keys += json[at + kKey.size()];
  }
  constexpr std::string_view kCursor = "\"next_cursor\":";
  const std::string rest = json.substr(json.find(kCursor) + kCursor.size());
  if (rest != "null") {
    page.cursor = rest.substr(1, rest.size() - 2);
  }
  return page;
}

ErrorCode CodeOf(const ViewQuery& query) {
  const auto row_query = RowQuery::Make(kSchema, query);
  EXPECT_FALSE(row_query);
  return row_query ? ErrorCode::kInternal : row_query.error().code();
}

TEST(RowQuery, OrdersByAllColumnsWithoutAnOrder) { EXPECT_EQ(Ask({}).keys, "abcde"); }

TEST(RowQuery, OrdersUpAndDownWithNullsLastAndFirst) {
  EXPECT_EQ(Ask({.order = {{"n", false}}}).keys, "eabcd");
  EXPECT_EQ(Ask({.order = {{"n", true}}}).keys, "dbcae");
  EXPECT_EQ(Ask({.order = {{"n", false}, {"key", true}}}).keys, "eacbd");
}

TEST(RowQuery, PutsNanBehindAllNumbers) {
  const BatchPtr rows = Rows({{"a", 1, NAN}, {"b", 1, INFINITY}, {"c", 1, -INFINITY}, {"d", 1, 0}});
  EXPECT_EQ(Ask({.order = {{"share", false}}}, rows).keys, "cdba");
}

TEST(RowQuery, FiltersWithSqlComparison) {
  const auto keys = [](FilterOperator operation, const char* text) {
    return Ask({.filters = {{"n", operation, text}}}).keys;
  };
  EXPECT_EQ(keys(FilterOperator::kEqual, "2"), "bc");
  EXPECT_EQ(keys(FilterOperator::kNotEqual, "2"), "ae");  // NULL is neither.
  EXPECT_EQ(keys(FilterOperator::kLess, "1"), "e");
  EXPECT_EQ(keys(FilterOperator::kLessOrEqual, "1"), "ae");
  EXPECT_EQ(keys(FilterOperator::kGreater, "1"), "bc");
  EXPECT_EQ(keys(FilterOperator::kGreaterOrEqual, "1"), "abc");
  EXPECT_EQ(Ask({.filters = {{"n", FilterOperator::kGreater, "0"},
                             {"key", FilterOperator::kNotEqual, "b"}}})
                .keys,
            "ac");
}

TEST(RowQuery, PagesThroughEverythingOnce) {
  for (const bool descending : {false, true}) {
    for (const uint32_t limit : {1U, 2U, 3U, 5U}) {
      ViewQuery query{.order = {{"n", descending}}, .limit = limit};
      std::string all;
      do {
        const Page page = Ask(query);
        EXPECT_LE(page.keys.size(), limit);
        all += page.keys;
        query.cursor = page.cursor;
      } while (!query.cursor.empty());
      EXPECT_EQ(all, descending ? "dbcae" : "eabcd") << limit;
    }
  }
}

TEST(RowQuery, PagesThroughRowsThatAreThereSeveralTimes) {
  const BatchPtr rows = Rows({{"y", 1}, {"x", 1}, {"y", 1}, {"z", 1}});
  const std::vector<int64_t> counts{2, 5, 3, 1};
  for (const uint32_t limit : {1U, 2U, 3U, 4U, 7U}) {
    std::string keys;
    ViewQuery query{.limit = limit};
    do {
      const Page page = Ask(query, rows, counts);
      keys += page.keys;
      query.cursor = page.cursor;
    } while (!query.cursor.empty() && keys.size() < 20);
    EXPECT_EQ(keys, "xxxxxyyyyyz") << limit;
  }
}

TEST(RowQuery, RepeatsRowsThatAreThereSeveralTimes) {
  const std::vector<int64_t> counts{3, 1, 1, 1, 1};
  EXPECT_EQ(Ask({}, kRows, counts).keys, "abbbcde");
  EXPECT_EQ(Ask({.limit = 2}, kRows, counts).keys, "ab");
}

TEST(RowQuery, RefusesWhatTheViewDoesNotHave) {
  EXPECT_EQ(CodeOf({.filters = {{"missing", FilterOperator::kEqual, "1"}}}),
            ErrorCode::kSqlUnknownColumn);
  EXPECT_EQ(CodeOf({.order = {{"missing", false}}}), ErrorCode::kSqlUnknownColumn);
  EXPECT_EQ(CodeOf({.filters = {{"n", FilterOperator::kEqual, "x"}}}),
            ErrorCode::kSqlInvalidLiteral);
}

TEST(RowQuery, RefusesCursorsThatItDidNotMake) {
  const std::string cursor = Ask({.limit = 2}).cursor;
  for (const std::string& wrong :
       {std::string("zz"), std::string("00"), cursor.substr(2), cursor + "00",
        cursor.substr(0, cursor.size() - 2), std::string("0")}) {
    EXPECT_EQ(CodeOf({.cursor = wrong}), ErrorCode::kHttpBadRequest) << wrong;
  }
}

}  // namespace
}  // namespace millrace
