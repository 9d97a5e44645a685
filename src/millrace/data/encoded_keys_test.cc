#include "millrace/data/encoded_keys.h"

#include <numeric>

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/data/row_encoding.h"

namespace millrace {
namespace {

std::string RowKey(const Batch& batch, std::span<const size_t> columns, size_t row) {
  std::string key;
  for (const size_t column : columns) {
    AppendEncoded(batch.column(column), row, key);
  }
  return key;
}

TEST(EncodedKeysTest, EqualsTheEncodingRowByRowForAllTypes) {
  Rng rng(5);
  EncodedKeys keys;
  for (size_t round = 0; round < 3; ++round) {
    const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 50 + 100 * round, 0.2, 0.5);
    std::vector<size_t> columns(batch->columns().size());
    std::iota(columns.begin(), columns.end(), 0);
    keys.Encode(*batch, columns);
    ASSERT_EQ(keys.size(), batch->rows());
    for (size_t row = 0; row < batch->rows(); ++row) {
      ASSERT_EQ(keys.key(row), RowKey(*batch, columns, row));
    }
  }
}

TEST(EncodedKeysTest, EncodesSelectedRowsBehindTheirPrefix) {
  Rng rng(6);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 60, 0.2, 0.5);
  std::vector<int64_t> prefixes(batch->rows());
  std::iota(prefixes.begin(), prefixes.end(), -30);
  const std::vector<size_t> columns = {6, 3};
  const std::vector<uint32_t> rows = {1, 2, 17, 59};
  EncodedKeys keys;
  keys.Encode(*batch, columns, rows, prefixes);
  ASSERT_EQ(keys.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    int64_t prefix = 0;
    std::memcpy(&prefix, keys.key(i).data(), sizeof(prefix));
    EXPECT_EQ(prefix, prefixes[rows[i]]);
    EXPECT_EQ(keys.key(i).substr(sizeof(prefix)), RowKey(*batch, columns, rows[i]));
  }
}

TEST(EncodedKeysTest, GivesEmptyKeysWithoutColumns) {
  Rng rng(7);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 3, 0.2, 0.5);
  EncodedKeys keys;
  keys.Encode(*batch, {});
  ASSERT_EQ(keys.size(), 3);
  EXPECT_TRUE(keys.key(2).empty());
}

}  // namespace
}  // namespace millrace
