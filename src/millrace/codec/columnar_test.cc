#include "millrace/codec/columnar.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "millrace/codec/columnar_format.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {
namespace {

BufferPtr Encoded(const Batch& batch) {
  Bytes out;
  EncodeColumnar(batch, out);
  return Buffer::Own(std::move(out));
}

BatchPtr TextBatch(const std::vector<std::string>& texts) {
  ColumnBuilder builder(DataType::Of(TypeId::kText));
  for (const std::string& text : texts) {
    builder.AppendText(text);
  }
  return Batch::Make(MakeSchema({{.name = "t", .type = DataType::Of(TypeId::kText)}}),
                     {builder.Finish()}, texts.size());
}

BatchPtr IntegerBatch(const std::vector<int64_t>& values) {
  ColumnBuilder builder(DataType::Of(TypeId::kInt64));
  for (const int64_t value : values) {
    builder.AppendFixed(value);
  }
  return Batch::Make(MakeSchema({{.name = "i", .type = DataType::Of(TypeId::kInt64)}}),
                     {builder.Finish()}, values.size());
}

/// Zeros of NULL rows are part of the contract of Column, equality of values does not see them.
void ExpectNullsAreZero(const Column& column) {
  for (size_t row = 0; row < column.size(); ++row) {
    if (column.IsNull(row) && column.type().width() != 0) {
      const auto bytes = column.values_buffer()->bytes().subspan(row * column.type().width(),
                                                                 column.type().width());
      ASSERT_TRUE(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; }));
    }
  }
}

TEST(ColumnarFormat, MatchesItsDocumentation) {
  ColumnBuilder n(DataType::Of(TypeId::kInt64));
  ColumnBuilder t(DataType::Of(TypeId::kText));
  n.AppendFixed(int64_t{7});
  n.AppendFixed(int64_t{8});
  t.AppendText("a");
  t.AppendText("bc");
  const SchemaPtr schema = MakeSchema({{.name = "n", .type = DataType::Of(TypeId::kInt64)},
                                       {.name = "t", .type = DataType::Of(TypeId::kText)}});
  Bytes out;
  EncodeColumnar(*Batch::Make(schema, {n.Finish(), t.Finish()}, 2), out);
  const std::vector<uint8_t> expected = {
      0x01, 0x00, 0x02, 0x00, 0x02, 0x00, 0x00, 0x00,                                      //
      0x0a, 0x8b, 0xae, 0x24, 0x67, 0x0f, 0xaa, 0xcb, 0x04, 0, 0,    0,    0x0c, 0, 0, 0,  //
      0x2d, 0xf9, 0xac, 0xf0, 0x85, 0x3e, 0x03, 0x76, 0x08, 0, 0,    0,    0x15, 0, 0, 0,  //
      0x00, 0x01, 0x07, 0,    0,    0,    0,    0,    0,    0, 0x00, 0x01,                 //
      0x00,                                                                                //
      0x00, 0x01, 0x01, 0,    0,    0,    0,    0,    0,    0, 0x00, 0x01,                 //
      0x00, 0x03, 0,    0,    0,    'a',  'b',  'c'};
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(expected)), out));
}

TEST(Columnar, RoundTripsRandomBatches) {
  Rng rng(1);
  const SchemaPtr schema = SchemaOfAllTypes();
  for (const size_t rows : {0U, 1U, 2U, 63U, 64U, 65U, 500U, 3000U}) {
    for (const double null_chance : {0.0, 0.3, 1.0}) {
      const BatchPtr batch = RandomBatch(rng, schema, rows, null_chance, 0.7);
      const auto decoded = DecodeColumnar(schema, Encoded(*batch));
      ASSERT_TRUE(decoded) << decoded.error().ToString();
      ASSERT_TRUE(SameRows(*batch, **decoded)) << rows << " rows";
      for (const Column& column : (*decoded)->columns()) {
        ExpectNullsAreZero(column);
      }
    }
  }
}

TEST(Columnar, RoundTripsExtras) {
  Rng rng(2);
  const SchemaPtr schema = MakeSchema({{.name = "a", .type = DataType::Of(TypeId::kInt32)}});
  const BatchPtr batch =
      RandomBatch(rng, schema, 3, 0, 0,
                  {.weights = Buffer::Own(std::vector<int32_t>{1, -1, 7}),
                   .watermarks_before = Buffer::Own(std::vector<Micros>{kMicrosMin, 5, kMicrosMax}),
                   .offsets = Buffer::Own(std::vector<int64_t>{10, 11, 12})});
  EXPECT_TRUE(SameRows(*batch, *DecodeColumnar(schema, Encoded(*batch)).value()));
}

TEST(Columnar, RoundTripsExtremeIntegers) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const std::vector<int64_t>& values : {std::vector<int64_t>{kMin, kMax, 0, -1},
                                             {kMax, kMax, kMax},
                                             {kMin, kMin + 1, kMin + 2},
                                             {0, 255},
                                             {0, 256},
                                             {-1, 65534},
                                             {0, int64_t{1} << 32},
                                             {int64_t{1} << 61, 0, -(int64_t{1} << 60)}}) {
    const BatchPtr batch = IntegerBatch(values);
    EXPECT_TRUE(SameRows(*batch, *DecodeColumnar(batch->schema_ptr(), Encoded(*batch)).value()));
  }
}

TEST(Columnar, StoresConstantAndCountingColumnsInNoBytesPerValue) {
  const std::vector<int64_t> constant(1000, 123'456'789);
  std::vector<int64_t> counting(1000);
  for (size_t i = 0; i < counting.size(); ++i) {
    counting[i] = 1'700'000'000'000'000 + static_cast<int64_t>(i) * 1000;
  }
  EXPECT_LT(Encoded(*IntegerBatch(constant))->size(), 64U);
  EXPECT_LT(Encoded(*IntegerBatch(counting))->size(), 64U);
}

TEST(Columnar, StoresFewDistinctTextsInOneByteEach) {
  std::vector<std::string> texts;
  texts.reserve(1000);
  for (size_t i = 0; i < 1000; ++i) {
    texts.push_back(i % 3 == 0 ? "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" : "curl");
  }
  const BatchPtr batch = TextBatch(texts);
  const BufferPtr payload = Encoded(*batch);
  EXPECT_LT(payload->size(), 1200U);
  EXPECT_TRUE(SameRows(*batch, *DecodeColumnar(batch->schema_ptr(), payload).value()));
}

TEST(Columnar, FallsBackWhenTheDictionaryFillsUp) {
  std::vector<std::string> texts(2000, "the same long text as before");
  for (size_t i = 1; i < texts.size(); i += 2) {
    texts[i] = "another text " + std::to_string(i);
  }
  const BatchPtr batch = TextBatch(texts);
  EXPECT_TRUE(SameRows(*batch, *DecodeColumnar(batch->schema_ptr(), Encoded(*batch)).value()));
}

TEST(Columnar, RefersToStoredTextInsteadOfCopying) {
  const BatchPtr batch = TextBatch({"a text that is longer than twelve bytes", "short"});
  const BufferPtr payload = Encoded(*batch);
  const BatchPtr decoded = DecodeColumnar(batch->schema_ptr(), payload).value();
  const auto* text = reinterpret_cast<const std::byte*>(decoded->column(0).Text(0).data());
  EXPECT_GE(text, payload->data());
  EXPECT_LT(text, payload->data() + payload->size());
}

TEST(Columnar, ReadsSomeColumnsAndAddsMissingOnes) {
  Rng rng(5);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 70, 0.1, 0.5);
  const SchemaPtr wanted = MakeSchema({{.name = "added", .type = DataType::Of(TypeId::kUuid)},
                                       {.name = "text", .type = DataType::Of(TypeId::kText)}});
  const BatchPtr decoded = DecodeColumnar(wanted, Encoded(*batch)).value();
  const size_t text = *batch->schema().Find("text");
  for (size_t row = 0; row < batch->rows(); ++row) {
    EXPECT_TRUE(decoded->column(0).IsNull(row));
    EXPECT_EQ(ValueAt(decoded->column(1), row), ValueAt(batch->column(text), row));
  }
}

TEST(Columnar, RefusesAnotherTypeAndMissingNotNull) {
  const BatchPtr batch = IntegerBatch({1});
  const SchemaPtr retyped = MakeSchema({{.name = "i", .type = DataType::Of(TypeId::kInt32)}});
  const SchemaPtr required =
      MakeSchema({{.name = "j", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
  EXPECT_EQ(DecodeColumnar(retyped, Encoded(*batch)).error().code(), ErrorCode::kDefinitionChanged);
  EXPECT_EQ(DecodeColumnar(required, Encoded(*batch)).error().code(),
            ErrorCode::kDefinitionChanged);
}

TEST(Columnar, RefusesANewerVersion) {
  Bytes out;
  const BatchPtr batch = IntegerBatch({1, 2});
  EncodeColumnar(*batch, out);
  EXPECT_EQ(ColumnarRows(out).value(), 2U);
  out[0] = std::byte{columnar::kVersion + 1};
  EXPECT_EQ(ColumnarRows(out).error().code(), ErrorCode::kFormatTooNew);
  EXPECT_EQ(DecodeColumnar(batch->schema_ptr(), Buffer::Own(out)).error().code(),
            ErrorCode::kFormatTooNew);
}

TEST(Columnar, RefusesEveryTruncation) {
  Rng rng(9);
  const SchemaPtr schema = SchemaOfAllTypes();
  Bytes out;
  EncodeColumnar(*RandomBatch(rng, schema, 40, 0.2, 0.5), out);
  for (size_t size = 0; size < out.size(); ++size) {
    const Bytes cut(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    const auto decoded = DecodeColumnar(schema, Buffer::Own(cut));
    ASSERT_FALSE(decoded) << size;
    ASSERT_EQ(decoded.error().code(), ErrorCode::kCorruption) << size;
  }
  out.push_back(std::byte{0});
  EXPECT_EQ(DecodeColumnar(schema, Buffer::Own(out)).error().code(), ErrorCode::kCorruption);
}

TEST(Columnar, SurvivesDamage) {
  Rng rng(10);
  const SchemaPtr schema = SchemaOfAllTypes();
  Bytes good;
  EncodeColumnar(*RandomBatch(rng, schema, 100, 0.2, 0.5), good);
  for (int i = 0; i < 3000; ++i) {
    Bytes bad = good;
    for (uint64_t flips = 1 + rng.Below(3); flips > 0; --flips) {
      bad[8 + rng.Below(bad.size() - 8)] = static_cast<std::byte>(rng.Next());
    }
    const auto decoded = DecodeColumnar(schema, Buffer::Own(std::move(bad)));
    if (decoded) {
      for (size_t column = 0; column < schema->size(); ++column) {
        for (size_t row = 0; row < (*decoded)->rows(); ++row) {
          ValueAt((*decoded)->column(column), row);
        }
      }
    }
  }
}

}  // namespace
}  // namespace millrace
