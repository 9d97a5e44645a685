#include "millrace/data/array_value.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/text_format.h"

namespace millrace {
namespace {

const DataType kTexts = DataType::Array(DataType::Of(TypeId::kText));
const DataType kIntegers = DataType::Array(DataType::Of(TypeId::kInt32));

std::string Parsed(std::string_view text, const DataType& type) {
  const auto value = ParseValue(text, type);
  return value ? value->Get<std::string>() : "failed";
}

/// Reads and shows again.
std::string Shown(std::string_view text, const DataType& type) {
  const auto value = ParseValue(text, type);
  return value ? FormatValue(*value, type) : value.error().message();
}

TEST(ArrayValueTest, KeepsEveryValueOfEveryType) {
  Rng rng(1);
  const SchemaPtr schema = SchemaOfAllTypes();
  const BatchPtr batch = RandomBatch(rng, schema, 200, 0.1, 0.3);
  for (size_t i = 0; i < schema->size(); ++i) {
    const Column& column = batch->column(i);
    if (column.type().is_array()) {
      continue;
    }
    std::string array;
    AppendElements(column, array);
    const DataType type = DataType::Array(column.type());
    ASSERT_TRUE(IsValidArray(array, type)) << type.ToString();
    EXPECT_EQ(ArraySize(array, type), column.size());
    const Column elements = ElementsOf(array, type);
    ASSERT_EQ(elements.size(), column.size());
    for (size_t row = 0; row < column.size(); ++row) {
      EXPECT_EQ(ValueAt(elements, row), ValueAt(column, row)) << type.ToString() << " " << row;
    }
    EXPECT_FALSE(IsValidArray(array + '\x01', type)) << type.ToString();
    EXPECT_FALSE(IsValidArray("\x07", type)) << type.ToString();
  }
}

TEST(ArrayValueTest, KeepsTheEndsOfNumbers) {
  for (const std::string_view text :
       {"{-2147483648,2147483647,0}", "{}", "{NULL}", "{NULL,1,NULL}"}) {
    EXPECT_EQ(Shown(text, kIntegers), text);
  }
  const DataType doubles = DataType::Array(DataType::Of(TypeId::kFloat64));
  EXPECT_EQ(Shown("{-Infinity,-1.5,-0,0,5e-324,NaN}", doubles), "{-Infinity,-1.5,0,0,5e-324,NaN}");
  const DataType intervals = DataType::Array(DataType::Of(TypeId::kInterval));
  EXPECT_EQ(Shown("{\"-1 mons 2 days -00:00:01\"}", intervals), "{\"-1 mons +2 days -00:00:01\"}");
  const DataType bytes = DataType::Array(DataType::Of(TypeId::kBytea));
  EXPECT_EQ(Shown(R"({"\\x00ff0001",\\x00})", bytes), R"({"\\x00ff0001","\\x00"})");
}

TEST(ArrayValueTest, ReadsAndWritesTextAsPostgresqlDoes) {
  EXPECT_EQ(Shown(R"( { a b , "c,d" , NULL , "null" , "" , e\,f , "g\"h" } )", kTexts),
            R"({"a b","c,d",NULL,"null","","e,f","g\"h"})");
  EXPECT_EQ(Shown("{true,f}", DataType::Array(DataType::Of(TypeId::kBoolean))), "{t,f}");
  EXPECT_EQ(Shown("{1.5,2}", DataType::Array(DataType::Numeric(5, 2))), "{1.50,2.00}");
}

TEST(ArrayValueTest, RefusesTextThatIsNoArray) {
  for (const std::string_view text : {"", "1", "{1", "1}", "{1,}", "{,1}", "{1 2}", "{{1}}",
                                      "{\"1}", "{1\"2\"}", "{\"1\"2}", "{x}", "{2147483648}"}) {
    EXPECT_FALSE(ParseValue(text, kIntegers)) << text;
  }
  EXPECT_EQ(Shown("{1,,2}", kIntegers), "invalid text for integer[]: an element is missing");
}

TEST(ArrayValueTest, BytesCompareAsPostgresqlComparesArrays) {
  const std::vector<std::string> ascending = {
      Parsed("{}", kIntegers),    Parsed("{-5}", kIntegers),  Parsed("{1}", kIntegers),
      Parsed("{1,1}", kIntegers), Parsed("{1,2}", kIntegers), Parsed("{1,NULL}", kIntegers),
      Parsed("{300}", kIntegers), Parsed("{NULL}", kIntegers)};
  for (size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(ascending[i - 1], ascending[i]) << i;
  }
  EXPECT_LT(Parsed("{a}", kTexts), Parsed("{a,a}", kTexts));
  EXPECT_LT(Parsed("{a,z}", kTexts), Parsed("{aa}", kTexts));
}

TEST(ArrayValueTest, TypesHaveNamesAndNumbers) {
  const DataType type = DataType::Array(DataType::Numeric(12, 2));
  EXPECT_EQ(type.ToString(), "numeric(12,2)[]");
  EXPECT_EQ(DataType::FromStored(type.stored_id(), type.precision, type.scale), type);
  EXPECT_TRUE(type.is_known());
  EXPECT_FALSE(DataType::FromStored(0x80, 0, 0).is_known());
  EXPECT_FALSE(DataType::FromStored(0x90, 0, 0).is_known()) << "an array of arrays";
  EXPECT_FALSE(DataType::FromStored(0, 0, 0).is_known());
  EXPECT_NE(type, DataType::Array(DataType::Numeric(12, 3)));
}

}  // namespace
}  // namespace millrace
