#include "millrace/data/row_hash.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

BatchPtr BatchOf(DataType type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) {
    AppendValue(builder, value);
  }
  return Batch::Make(MakeSchema({{.name = "v", .type = type}}), {builder.Finish()}, values.size());
}

std::vector<uint64_t> HashesOf(const Batch& batch) {
  std::vector<size_t> columns(batch.columns().size());
  std::iota(columns.begin(), columns.end(), size_t{0});
  std::vector<uint64_t> out(batch.rows());
  HashRows(batch, columns, out);
  return out;
}

TEST(RowHash, IsTheSameForEqualValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto doubles =
      HashesOf(*BatchOf(DataType::Of(TypeId::kFloat64),
                        {Value(0.0), Value(-0.0), Value(nan), Value(-nan), Value(1.0)}));
  EXPECT_EQ(doubles[0], doubles[1]);
  EXPECT_EQ(doubles[2], doubles[3]);
  EXPECT_NE(doubles[0], doubles[4]);
  const auto intervals = HashesOf(*BatchOf(DataType::Of(TypeId::kInterval),
                                           {Value(Interval{1, 0, 0}), Value(Interval{0, 30, 0}),
                                            Value(Interval{0, 29, kMicrosPerDay})}));
  EXPECT_EQ(intervals[0], intervals[1]);
  EXPECT_EQ(intervals[0], intervals[2]);
  const auto texts =
      HashesOf(*BatchOf(DataType::Of(TypeId::kText), {Value(), Value(std::string())}));
  EXPECT_NE(texts[0], texts[1]);
}

TEST(RowHash, IgnoresWhereTextLies) {
  const std::string text = "a text of more than twelve bytes";
  ColumnBuilder backed(DataType::Of(TypeId::kText));
  const BufferPtr body = Buffer::Own(std::string("xxx") + text + "short");
  const uint32_t backing = backed.AddBacking(body);
  const std::string_view all(reinterpret_cast<const char*>(body->data()), body->size());
  backed.AppendBackedText(all.substr(3, text.size()), backing);
  backed.AppendBackedText(all.substr(3 + text.size()), backing);
  const BatchPtr a = Batch::Make(MakeSchema({{.name = "v", .type = DataType::Of(TypeId::kText)}}),
                                 {backed.Finish()}, 2);
  const BatchPtr b =
      BatchOf(DataType::Of(TypeId::kText), {Value(text), Value(std::string("short"))});
  EXPECT_EQ(HashesOf(*a), HashesOf(*b));
}

// State partitions on disk depend on these numbers.
TEST(RowHash, NeverChanges) {
  EXPECT_EQ(HashesOf(*BatchOf(DataType::Of(TypeId::kInt32),
                              {Value(int64_t{1}), Value(int64_t{-1}), Value()})),
            (std::vector<uint64_t>{0xb456bcfc34c2cb2c, 0x64b5720b4b825f21, 0x5fe540fb58480581}));
  EXPECT_EQ(HashesOf(*BatchOf(DataType::Of(TypeId::kText), {Value(std::string("millrace"))})),
            (std::vector<uint64_t>{0x6f62c96eaccb9b18}));
  EXPECT_EQ(HashesOf(*BatchOf(DataType::Numeric(38, 2), {Value(Int128{12345})})),
            (std::vector<uint64_t>{0xfc80cd1860e28208}));
  EXPECT_EQ(HashesOf(*BatchOf(DataType::Of(TypeId::kFloat64), {Value(1.5)})),
            (std::vector<uint64_t>{0x885dcc874e75b6f0}));
  EXPECT_EQ(HashesOf(*BatchOf(DataType::Of(TypeId::kInt64), {Value(int64_t{1})})),
            HashesOf(*BatchOf(DataType::Of(TypeId::kInt16), {Value(int64_t{1})})));
}

TEST(RowHash, SpreadsOverPartitions) {
  std::vector<Value> values;
  values.reserve(16'000);
  for (int64_t i = 0; i < 16'000; ++i) {
    values.emplace_back(i * 1000);
  }
  std::array<size_t, 16> counts{};
  for (const uint64_t hash : HashesOf(*BatchOf(DataType::Of(TypeId::kInt64), values))) {
    ++counts[hash % counts.size()];
  }
  EXPECT_GT(*std::ranges::min_element(counts), 850U);
  EXPECT_LT(*std::ranges::max_element(counts), 1150U);
}

}  // namespace
}  // namespace millrace
