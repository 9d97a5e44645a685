#include "millrace/data/column_builder.h"

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

std::vector<Value> ValuesOf(const Column& column) {
  std::vector<Value> values;
  values.reserve(column.size());
  for (size_t row = 0; row < column.size(); ++row) {
    values.push_back(ValueAt(column, row));
  }
  return values;
}

TEST(ColumnBuilder, TakesBackAnyRows) {
  Rng rng(1);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 200, 0.2, 0.3);
  for (const Column& column : batch->columns()) {
    ColumnBuilder builder(column.type());
    std::vector<Value> expected;
    for (int step = 0; step < 500; ++step) {
      if (rng.Chance(0.1)) {
        const size_t size = rng.Below(builder.size() + 1);
        builder.Truncate(size);
        expected.resize(size);
      }
      const size_t row = rng.Below(column.size());
      builder.AppendFrom(column, row);
      expected.push_back(ValueAt(column, row));
    }
    EXPECT_EQ(ValuesOf(builder.Finish()), expected) << column.type().ToString();
  }
}

TEST(ColumnBuilder, HasNoValidityWithoutNulls) {
  ColumnBuilder builder(DataType::Of(TypeId::kInt64));
  builder.AppendFixed(int64_t{1});
  EXPECT_FALSE(builder.Finish().may_have_nulls());
  builder.AppendNull();
  builder.AppendFixed(int64_t{2});
  const Column column = builder.Finish();
  EXPECT_EQ(column.null_count(), 1U);
  EXPECT_EQ(column.Values<int64_t>()[0], 0);
}

TEST(ColumnBuilder, StartsAgainEmptyAfterFinish) {
  ColumnBuilder builder(DataType::Of(TypeId::kText));
  builder.AppendText("a text of more than twelve bytes");
  builder.AppendNull();
  EXPECT_EQ(builder.Finish().size(), 2U);
  EXPECT_EQ(builder.size(), 0U);
  builder.AppendText("another text of more than twelve bytes");
  const Column column = builder.Finish();
  EXPECT_EQ(column.Text(0), "another text of more than twelve bytes");
  EXPECT_FALSE(column.may_have_nulls());
  EXPECT_EQ(ColumnBuilder(DataType::Of(TypeId::kInt32)).Finish().size(), 0U);
}

TEST(ColumnBuilder, MixesOwnAndBackedText) {
  const BufferPtr body = Buffer::Own(std::string("..a backed text of some length.."));
  const std::string_view all(reinterpret_cast<const char*>(body->data()), body->size());
  ColumnBuilder builder(DataType::Of(TypeId::kText));
  builder.AppendText("own text of some length");
  const uint32_t backing = builder.AddBacking(body);
  builder.AppendBackedText(all.substr(2, 28), backing);
  builder.AppendBackedText(all.substr(2, 8), backing);
  builder.AppendText("more own text of some length");
  const Column column = builder.Finish();
  EXPECT_EQ(column.Text(0), "own text of some length");
  EXPECT_EQ(column.Text(1), "a backed text of some length");
  EXPECT_EQ(column.Text(1).data(), all.data() + 2);
  EXPECT_EQ(column.Text(2), "a backed");
  EXPECT_EQ(column.Text(3), "more own text of some length");
}

TEST(ColumnBuilder, AppendsWholeColumns) {
  Rng rng(2);
  const SchemaPtr schema = SchemaOfAllTypes();
  for (const double second_nulls : {0.0, 0.5}) {
    const BatchPtr first = RandomBatch(rng, schema, 70, 0, 0.2);
    const BatchPtr second = RandomBatch(rng, schema, 90, second_nulls, 0.2);
    for (size_t i = 0; i < schema->size(); ++i) {
      ColumnBuilder builder(schema->field(i).type);
      builder.AppendColumn(first->column(i));
      builder.AppendNulls(3);
      builder.AppendColumn(second->column(i));
      std::vector<Value> expected = ValuesOf(first->column(i));
      expected.resize(expected.size() + 3);
      const std::vector<Value> tail = ValuesOf(second->column(i));
      expected.insert(expected.end(), tail.begin(), tail.end());
      EXPECT_EQ(ValuesOf(builder.Finish()), expected);
    }
  }
}

}  // namespace
}  // namespace millrace
