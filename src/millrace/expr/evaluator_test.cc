#include "millrace/expr/evaluator.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/expr/functions.h"

namespace millrace {
namespace {

const DataType kInt = DataType::Of(TypeId::kInt32);
const DataType kText = DataType::Of(TypeId::kText);

ExpressionPtr Int(int64_t value) { return MakeLiteral(Value(value), kInt); }
ExpressionPtr Column0() { return MakeColumn(0, kInt, true); }

ExpressionPtr Binary(std::string_view name, ExpressionPtr left, ExpressionPtr right) {
  const std::array types{left->type.id, right->type.id};
  return MakeCall(GetFunction(name, types), {std::move(left), std::move(right)});
}

constexpr int32_t kNull = std::numeric_limits<int32_t>::min();

/// One integer column; kNull stands for NULL.
BatchPtr Integers(std::initializer_list<int32_t> values) {
  ColumnBuilder builder(kInt);
  for (const int32_t value : values) {
    value == kNull ? builder.AppendNull() : builder.AppendFixed(value);
  }
  return Batch::Make(MakeSchema({{"a", kInt, true}}), {builder.Finish()}, values.size());
}

std::vector<int32_t> IntegersOf(const Column& column) {
  std::vector<int32_t> values;
  for (size_t row = 0; row < column.size(); ++row) {
    values.push_back(column.IsNull(row) ? kNull : column.Values<int32_t>()[row]);
    EXPECT_TRUE(!column.IsNull(row) || column.Values<int32_t>()[row] == 0);
  }
  return values;
}

TEST(EvaluatorTest, FailedRowsBecomeNullAndAreListed) {
  const BatchPtr batch = Integers({1, 0, kNull, 4, 0});
  RowErrors errors;
  const Column result = Evaluator(Binary("/", Int(8), Column0())).Evaluate(*batch, errors);
  EXPECT_EQ(IntegersOf(result), (std::vector<int32_t>{8, kNull, kNull, 2, kNull}));
  const auto failed = errors.Take();
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].row, 1U);
  EXPECT_EQ(failed[1].row, 4U);
  EXPECT_EQ(failed[0].code, ErrorCode::kDivisionByZero);
  EXPECT_TRUE(errors.empty());
}

TEST(EvaluatorTest, ConstantFailureHitsEveryRowThatReachesIt) {
  const BatchPtr batch = Integers({1, 2, 3, 4});
  const ExpressionPtr failing = FoldConstants(Binary("/", Int(1), Int(0)));
  const ExpressionPtr branches = MakeBranches(
      Expression::Kind::kCase, {Binary(">", Column0(), Int(2)), failing, Column0()}, kInt);
  RowErrors errors;
  const Column result = Evaluator(branches).Evaluate(*batch, errors);
  EXPECT_EQ(IntegersOf(result), (std::vector<int32_t>{1, 2, kNull, kNull}));
  EXPECT_EQ(errors.entries().size(), 2U);
  EXPECT_EQ(errors.entries()[0].row, 2U);
}

TEST(EvaluatorTest, PredicateSelectsTrueRowsOnly) {
  const BatchPtr batch = Integers({5, kNull, 1, 9, 0, 6});
  RowErrors errors;
  const Evaluator simple(Binary(">", Column0(), Int(4)));
  EXPECT_EQ(simple.EvaluatePredicate(*batch, errors), (std::vector<uint32_t>{0, 3, 5}));
  const Evaluator guarded(MakeBoolean(
      Expression::Kind::kAnd,
      {Binary("<>", Column0(), Int(0)), Binary(">", Binary("/", Int(10), Column0()), Int(1))}));
  EXPECT_EQ(guarded.EvaluatePredicate(*batch, errors), (std::vector<uint32_t>{0, 2}));
  EXPECT_TRUE(errors.empty());
}

TEST(EvaluatorTest, CoalesceEvaluatesLaterArgumentsOnlyWhereNeeded) {
  const BatchPtr batch = Integers({0, kNull, 2});
  const ExpressionPtr expression = MakeBranches(
      Expression::Kind::kCoalesce,
      {Column0(), MakeCast(Int(7), DataType::Of(TypeId::kInt32)), Binary("/", Int(1), Column0())},
      kInt);
  RowErrors errors;
  EXPECT_EQ(IntegersOf(Evaluator(expression).Evaluate(*batch, errors)),
            (std::vector<int32_t>{0, 7, 2}));
  EXPECT_TRUE(errors.empty());
}

TEST(EvaluatorTest, PassesColumnsThroughWithoutCopy) {
  const BatchPtr batch = Integers({1, 2});
  RowErrors errors;
  const auto columns = Evaluator({Column0(), Int(3)}).EvaluateAll(*batch, errors);
  EXPECT_EQ(columns[0].values_buffer(), batch->column(0).values_buffer());
  EXPECT_EQ(IntegersOf(columns[1]), (std::vector<int32_t>{3, 3}));
}

TEST(EvaluatorTest, WorksOnMoreThanOneWordOfRowsAndOnNone) {
  ColumnBuilder builder(kInt);
  for (int32_t i = 0; i < 200; ++i) {
    i % 3 == 0 ? builder.AppendNull() : builder.AppendFixed(i);
  }
  const BatchPtr batch = Batch::Make(MakeSchema({{"a", kInt, true}}), {builder.Finish()}, 200);
  RowErrors errors;
  const Evaluator even(Binary("=", Binary("%", Column0(), Int(2)), Int(0)));
  const auto rows = even.EvaluatePredicate(*batch, errors);
  EXPECT_EQ(rows.size(), 66U);
  EXPECT_EQ(rows.front(), 2U);
  EXPECT_EQ(rows.back(), 196U);
  EXPECT_TRUE(even.EvaluatePredicate(*Integers({}), errors).empty());
}

TEST(FunctionsTest, ResolvesByPostgresRules) {
  const auto name_of = [](std::string_view name, std::vector<ArgumentType> types) {
    const auto resolved = ResolveFunction(name, types);
    return resolved ? TypeId(resolved->function->arguments[0]) : TypeId::kBytea;
  };
  const ArgumentType int4 = kInt;
  const ArgumentType int8 = DataType::Of(TypeId::kInt64);
  const ArgumentType real = DataType::Of(TypeId::kFloat32);
  const ArgumentType numeric = DataType::Numeric();
  EXPECT_EQ(name_of("+", {int4, int8}), TypeId::kInt64);
  EXPECT_EQ(name_of("+", {int4, real}), TypeId::kFloat64);
  EXPECT_EQ(name_of("+", {real, real}), TypeId::kFloat32);
  EXPECT_EQ(name_of("+", {numeric, int4}), TypeId::kNumeric);
  EXPECT_EQ(name_of("+", {int4, std::nullopt}), TypeId::kInt32);
  EXPECT_EQ(name_of("round", {int4}), TypeId::kFloat64);
  EXPECT_EQ(name_of("lower", {int4}), TypeId::kBytea);
  EXPECT_EQ(ResolveFunction("lower", std::array{int4}).error().code(),
            ErrorCode::kSqlUnknownFunction);
}

TEST(ExpressionTest, ShowsItselfAsSql) {
  const ExpressionPtr like = MakeLiteral(Value(std::string("it's")), kText);
  const ExpressionPtr in = MakeBoolean(Expression::Kind::kInList, {Column0(), Int(1), Int(2)});
  EXPECT_EQ(MakeBoolean(Expression::Kind::kOr, {in, MakeBoolean(Expression::Kind::kIsNull, {like})})
                ->ToString({"a"}),
            "((a IN (1, 2)) OR ('it''s' IS NULL))");
  EXPECT_EQ(MakeBoolean(Expression::Kind::kNot, {in})->ToString({}), "(NOT (#0 IN (1, 2)))");
}

}  // namespace
}  // namespace millrace
