#include "millrace/data/row_encoding.h"

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

std::string Encoded(DataType type, const Value& value) {
  ColumnBuilder builder(type);
  AppendValue(builder, value);
  std::string out;
  AppendEncoded(builder.Finish(), 0, out);
  return out;
}

TEST(RowEncoding, DecodesWhatItEncodes) {
  Rng rng(3);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 300, 0.2, 0.5);
  for (const Column& column : batch->columns()) {
    std::string bytes;
    for (size_t row = 0; row < batch->rows(); ++row) {
      AppendEncoded(column, row, bytes);
    }
    ColumnBuilder builder(column.type());
    std::string_view rest = bytes;
    for (size_t row = 0; row < batch->rows(); ++row) {
      ASSERT_TRUE(DecodeInto(&rest, builder));
    }
    EXPECT_TRUE(rest.empty());
    const Column decoded = builder.Finish();
    for (size_t row = 0; row < batch->rows(); ++row) {
      ASSERT_EQ(ValueAt(decoded, row), ValueAt(column, row)) << column.type().ToString();
    }
  }
}

TEST(RowEncoding, GivesEqualValuesEqualBytes) {
  const DataType real = DataType::Of(TypeId::kFloat64);
  const DataType text = DataType::Of(TypeId::kText);
  EXPECT_EQ(Encoded(real, Value(0.0)), Encoded(real, Value(-0.0)));
  EXPECT_NE(Encoded(real, Value(0.0)), Encoded(real, Value(1.0)));
  EXPECT_NE(Encoded(text, Value()), Encoded(text, Value(std::string())));
  EXPECT_NE(Encoded(text, Value(std::string("ab"))) + Encoded(text, Value(std::string("c"))),
            Encoded(text, Value(std::string("a"))) + Encoded(text, Value(std::string("bc"))));
}

TEST(RowEncoding, RefusesDamagedBytes) {
  for (const std::string_view bytes :
       {std::string_view(), std::string_view("\x02"), std::string_view("\x01\x09", 2),
        std::string_view("\x01\x01\x01\x01\x01")}) {
    ColumnBuilder builder(DataType::Of(TypeId::kText));
    std::string_view rest = bytes;
    EXPECT_EQ(DecodeInto(&rest, builder).error().code(), ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace millrace
