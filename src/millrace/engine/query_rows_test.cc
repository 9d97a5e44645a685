#include "millrace/engine/query_rows.h"

#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {
namespace {

using Cell = std::optional<int64_t>;

class QueryRowsTest : public ::testing::Test {
 protected:
  QueryRowsTest() {
    query_.plan = MakeScan("t", false, *schema_, {});
    query_.columns = 2;
  }

  BatchPtr Rows(const std::vector<std::pair<Cell, Cell>>& rows, std::vector<int32_t> weights = {}) {
    ColumnBuilder a(schema_->field(0).type);
    ColumnBuilder b(schema_->field(1).type);
    for (const auto& [left, right] : rows) {
      AppendValue(a, left ? Value(*left) : Value());
      AppendValue(b, right ? Value(*right) : Value());
    }
    return Batch::Make(schema_, {a.Finish(), b.Finish()}, rows.size(),
                       {.weights = weights.empty() ? nullptr : Buffer::Own(std::move(weights)),
                        .watermarks_before = nullptr,
                        .offsets = nullptr});
  }

  /// The result as "1,2 3,- ...", with "+" behind it when it is not all.
  std::string Take(QueryRows& rows) {
    const auto result = rows.Take();
    std::string text;
    for (size_t row = 0; row < result.rows->rows(); ++row) {
      text += row == 0 ? "" : " ";
      for (size_t column = 0; column < result.rows->columns().size(); ++column) {
        const Value value = ValueAt(result.rows->column(column), row);
        text += column == 0 ? "" : ",";
        text += value.is_null() ? "-" : fmt::format("{}", value.Get<int64_t>());
      }
    }
    return text + (result.is_truncated ? "+" : "");
  }
  std::string Result(uint64_t rows_max = 100) {
    QueryRows rows(query_, rows_max);
    rows.Add(*Rows({{3, 1}, {1, 2}, {{}, 3}}));
    rows.Add(*Rows({{2, 4}, {1, 5}, {{}, 6}}));
    return Take(rows);
  }

  const SchemaPtr schema_ = MakeSchema(
      {{"a", DataType::Of(TypeId::kInt64), true}, {"b", DataType::Of(TypeId::kInt64), true}});
  QueryDefinition query_;
};

TEST_F(QueryRowsTest, WithoutAnOrderRowsStayAsTheyCome) {
  EXPECT_EQ(Result(), "3,1 1,2 -,3 2,4 1,5 -,6");
  query_.offset = 1;
  query_.limit = 3;
  EXPECT_EQ(Result(), "1,2 -,3 2,4");
  query_.offset = 5;
  EXPECT_EQ(Result(), "-,6");
  query_.offset = 6;
  EXPECT_EQ(Result(), "");
}

TEST_F(QueryRowsTest, SortsNullsWhereTheyBelong) {
  query_.order = {{.column = 0}};
  EXPECT_EQ(Result(), "1,2 1,5 2,4 3,1 -,3 -,6");
  query_.order = {{.column = 0, .direction = {.nulls_first = true}}};
  EXPECT_EQ(Result(), "-,3 -,6 1,2 1,5 2,4 3,1");
  query_.order = {{.column = 0, .direction = {.is_descending = true, .nulls_first = true}}};
  EXPECT_EQ(Result(), "-,3 -,6 3,1 2,4 1,2 1,5");
  query_.order = {{.column = 0, .direction = {.is_descending = true}},
                  {.column = 1, .direction = {.is_descending = true}}};
  EXPECT_EQ(Result(), "3,1 2,4 1,5 1,2 -,6 -,3");
}

TEST_F(QueryRowsTest, KeepsTheFirstRowsOfTheOrder) {
  query_.order = {{.column = 1, .direction = {.is_descending = true}}};
  query_.limit = 2;
  EXPECT_EQ(Result(), "-,6 1,5");
  query_.offset = 1;
  EXPECT_EQ(Result(), "1,5 2,4");
  query_.limit = 0;
  EXPECT_EQ(Result(), "");
  query_.limit.reset();
  query_.offset = 5;
  EXPECT_EQ(Result(), "3,1");
}

TEST_F(QueryRowsTest, SaysWhenThereIsMoreThanMayBe) {
  EXPECT_EQ(Result(6), "3,1 1,2 -,3 2,4 1,5 -,6");
  EXPECT_EQ(Result(2), "3,1 1,2+");
  query_.order = {{.column = 1}};
  EXPECT_EQ(Result(2), "3,1 1,2+");
  query_.limit = 2;
  EXPECT_EQ(Result(2), "3,1 1,2");
}

TEST_F(QueryRowsTest, RowsAreThereAsOftenAsTheirWeightSays) {
  query_.columns = 1;
  query_.offset = 2;
  query_.limit = 3;
  QueryRows rows(query_, 100);
  rows.Add(*Rows({{1, 0}, {2, 0}}, {3, 1'000'000'000}));
  EXPECT_TRUE(rows.is_complete());
  EXPECT_EQ(Take(rows), "1 2 2");
}

TEST_F(QueryRowsTest, GivesBackTheMemoryOfRowsItDrops) {
  query_.order = {{.column = 0}};
  query_.limit = 1;
  QueryRows rows(query_, 100);
  rows.Add(*Rows({{5, 0}}));
  const size_t bytes = rows.MemoryBytes();
  EXPECT_GT(bytes, 0U);
  rows.Add(*Rows({{4, 0}, {3, 0}, {9, 0}}));
  EXPECT_EQ(rows.MemoryBytes(), bytes);
  EXPECT_EQ(Take(rows), "3,0");
  EXPECT_EQ(rows.MemoryBytes(), 0U);
}

}  // namespace
}  // namespace millrace
