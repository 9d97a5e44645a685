#include "millrace/data/batch.h"

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

Batch::RowExtras AllExtras(size_t rows, int32_t weight) {
  std::vector<Micros> marks(rows);
  std::vector<int64_t> offsets(rows);
  for (size_t row = 0; row < rows; ++row) {
    marks[row] = static_cast<Micros>(row) * 10;
    offsets[row] = static_cast<int64_t>(row) + 100;
  }
  return {.weights = Buffer::Own(std::vector<int32_t>(rows, weight)),
          .watermarks_before = Buffer::Own(std::move(marks)),
          .offsets = Buffer::Own(std::move(offsets))};
}

TEST(Batch, HasUnitWeightsUnlessGiven) {
  Rng rng(1);
  const BatchPtr plain = RandomBatch(rng, SchemaOfAllTypes(), 3, 0, 0);
  EXPECT_FALSE(plain->has_weights());
  EXPECT_TRUE(plain->weights().empty());
  EXPECT_EQ(plain->Weight(2), 1);
  const BatchPtr weighted = RandomBatch(rng, SchemaOfAllTypes(), 3, 0, 0, AllExtras(3, -2));
  EXPECT_EQ(weighted->Weight(2), -2);
  EXPECT_EQ(weighted->offsets()[2], 102);
  EXPECT_GT(weighted->MemoryBytes(), plain->MemoryBytes());
}

TEST(Batch, GathersRowsWithExtras) {
  Rng rng(2);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 20, 0.2, 0.5, AllExtras(20, -1));
  const std::vector<uint32_t> rows = {19, 3};
  const BatchPtr gathered = GatherRows(*batch, rows);
  EXPECT_EQ(gathered->offsets()[0], 119);
  EXPECT_EQ(gathered->watermarks_before()[1], 30);
  EXPECT_EQ(gathered->Weight(0), -1);
  for (size_t i = 0; i < batch->columns().size(); ++i) {
    EXPECT_EQ(ValueAt(gathered->column(i), 0), ValueAt(batch->column(i), 19));
  }
}

TEST(Batch, ConcatenatesWhatGatherTookApart) {
  Rng rng(3);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 9, 0.2, 0.5, AllExtras(9, 4));
  const std::vector<uint32_t> head = {0, 1, 2, 3};
  const std::vector<uint32_t> tail = {4, 5, 6, 7, 8};
  const std::vector<BatchPtr> parts = {GatherRows(*batch, head), GatherRows(*batch, tail)};
  EXPECT_TRUE(SameRows(*Concatenate(parts), *batch));
}

TEST(Batch, ConcatenationFillsMissingWeights) {
  Rng rng(4);
  const SchemaPtr schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kInt32)}});
  const std::vector<BatchPtr> parts = {
      RandomBatch(rng, schema, 1, 0, 0),
      RandomBatch(rng, schema, 1, 0, 0, {.weights = Buffer::Own(std::vector<int32_t>{-1})})};
  const BatchPtr whole = Concatenate(parts);
  EXPECT_EQ(whole->Weight(0), 1);
  EXPECT_EQ(whole->Weight(1), -1);
}

}  // namespace
}  // namespace millrace
