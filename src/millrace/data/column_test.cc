#include "millrace/data/column.h"

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

TEST(Column, GathersRowsInAnyOrder) {
  Rng rng(1);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 100, 0.3, 0.5);
  const std::vector<uint32_t> rows = {99, 0, 0, 50, 7};
  for (const Column& column : batch->columns()) {
    const Column gathered = Gather(column, rows);
    ASSERT_EQ(gathered.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(ValueAt(gathered, i), ValueAt(column, rows[i])) << column.type().ToString();
    }
  }
}

TEST(Column, CountsNulls) {
  Rng rng(2);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 200, 0.4, 0.5);
  for (const Column& column : batch->columns()) {
    size_t nulls = 0;
    for (size_t row = 0; row < column.size(); ++row) {
      nulls += column.IsNull(row) ? 1 : 0;
    }
    EXPECT_EQ(column.null_count(), nulls);
  }
}

TEST(Column, NullColumnIsAllNull) {
  const SchemaPtr schema = SchemaOfAllTypes();
  for (const Field& field : schema->fields()) {
    const Column column = NullColumn(field.type, 70);
    EXPECT_EQ(column.size(), 70U);
    EXPECT_EQ(column.null_count(), 70U);
    EXPECT_TRUE(ValueAt(column, 69).is_null());
  }
}

TEST(Column, SharesBuffersWhenCopied) {
  Rng rng(3);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 10, 0, 0);
  const Column& column = batch->column(3);
  const Column copy = column;
  EXPECT_EQ(copy.values_buffer(), column.values_buffer());
  EXPECT_GE(column.MemoryBytes(), 80U);
}

}  // namespace
}  // namespace millrace
