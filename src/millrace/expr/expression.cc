#include "millrace/expr/expression.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"

namespace millrace {

namespace {

using Kind = Expression::Kind;

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') {
      out += c;
    }
  }
  return out + "'";
}

std::string LiteralText(const Value& value, const DataType& type) {
  if (value.is_null()) {
    return "NULL";
  }
  std::string text = FormatValue(value, type);
  if (type.id == TypeId::kBoolean || type.is_number()) {
    return text;
  }
  return type.id == TypeId::kText ? Quoted(text) : type.ToString() + " " + Quoted(text);
}

bool IsOperator(std::string_view name) {
  return name.find_first_not_of("+-*/%<>=~!@#|&^") == std::string_view::npos ||
         name.starts_with("IS ");
}

std::string Joined(const Expression& expression, std::string_view separator,
                   const std::vector<std::string>& names) {
  std::string out;
  for (const ExpressionPtr& argument : expression.arguments) {
    out += out.empty() ? "" : separator;
    out += argument->ToString(names);
  }
  return out;
}

std::string CallText(const Expression& expression, const std::vector<std::string>& names) {
  const std::string_view name = expression.function->name;
  if (IsOperator(name) && expression.arguments.size() == 2) {
    return fmt::format("({} {} {})", expression.arguments[0]->ToString(names), name,
                       expression.arguments[1]->ToString(names));
  }
  if (IsOperator(name)) {
    return fmt::format("({}{})", name, expression.arguments[0]->ToString(names));
  }
  return fmt::format("{}({})", name, Joined(expression, ", ", names));
}

std::string CaseText(const Expression& expression, const std::vector<std::string>& names) {
  std::string out = "CASE";
  size_t i = 0;
  for (; i + 1 < expression.arguments.size(); i += 2) {
    out += fmt::format(" WHEN {} THEN {}", expression.arguments[i]->ToString(names),
                       expression.arguments[i + 1]->ToString(names));
  }
  return out + fmt::format(" ELSE {} END", expression.arguments[i]->ToString(names));
}

std::string InText(const Expression& expression, const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 1; i < expression.arguments.size(); ++i) {
    list += i == 1 ? "" : ", ";
    list += expression.arguments[i]->ToString(names);
  }
  return fmt::format("({} IN ({}))", expression.arguments[0]->ToString(names), list);
}

std::shared_ptr<Expression> Node(Kind kind, DataType type, bool nullable,
                                 std::vector<ExpressionPtr> arguments) {
  auto node = std::make_shared<Expression>();
  node->kind = kind;
  node->type = type;
  node->nullable = nullable;
  node->arguments = std::move(arguments);
  return node;
}

bool AnyNullable(const std::vector<ExpressionPtr>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const ExpressionPtr& argument) { return argument->nullable; });
}

}  // namespace

std::string Expression::ToString(const std::vector<std::string>& names) const {
  switch (kind) {
    case Kind::kColumn:
      return column < names.size() ? names[column] : fmt::format("#{}", column);
    case Kind::kLiteral:
      return LiteralText(literal, type);
    case Kind::kCall:
      return CallText(*this, names);
    case Kind::kCast:
      return fmt::format("{}::{}", arguments[0]->ToString(names), type.ToString());
    case Kind::kAnd:
      return "(" + Joined(*this, " AND ", names) + ")";
    case Kind::kOr:
      return "(" + Joined(*this, " OR ", names) + ")";
    case Kind::kNot:
      return fmt::format("(NOT {})", arguments[0]->ToString(names));
    case Kind::kIsNull:
      return fmt::format("({} IS NULL)", arguments[0]->ToString(names));
    case Kind::kIsNotNull:
      return fmt::format("({} IS NOT NULL)", arguments[0]->ToString(names));
    case Kind::kCase:
      return CaseText(*this, names);
    case Kind::kCoalesce:
      return "COALESCE(" + Joined(*this, ", ", names) + ")";
    case Kind::kInList:
      return InText(*this, names);
  }
  MR_CHECK(false, "expression kind {}", static_cast<int>(kind));
}

ExpressionPtr MakeColumn(size_t column, DataType type, bool nullable) {
  auto node = Node(Kind::kColumn, type, nullable, {});
  node->column = column;
  return node;
}

ExpressionPtr MakeLiteral(Value value, DataType type) {
  auto node = Node(Kind::kLiteral, type, value.is_null(), {});
  node->literal = std::move(value);
  return node;
}

ExpressionPtr MakeCast(ExpressionPtr argument, DataType type) {
  if (argument->type == type) {
    return argument;
  }
  const bool nullable = argument->nullable;
  return Node(Kind::kCast, type, nullable, {std::move(argument)});
}

ExpressionPtr MakeBoolean(Kind kind, std::vector<ExpressionPtr> arguments) {
  const bool test = kind == Kind::kIsNull || kind == Kind::kIsNotNull;
  const bool nullable = !test && AnyNullable(arguments);
  return Node(kind, DataType::Of(TypeId::kBoolean), nullable, std::move(arguments));
}

ExpressionPtr MakeBranches(Kind kind, std::vector<ExpressionPtr> arguments, DataType type) {
  bool nullable = kind == Kind::kCase;
  if (kind == Kind::kCoalesce) {
    nullable = std::all_of(arguments.begin(), arguments.end(),
                           [](const ExpressionPtr& argument) { return argument->nullable; });
  } else {
    nullable = arguments.back()->nullable;
    for (size_t i = 1; i < arguments.size(); i += 2) {
      nullable |= arguments[i]->nullable;
    }
  }
  return Node(kind, type, nullable, std::move(arguments));
}

ExpressionPtr MakeCall(const ScalarFunction& function, std::vector<ExpressionPtr> arguments) {
  std::vector<DataType> types;
  types.reserve(arguments.size());
  for (const ExpressionPtr& argument : arguments) {
    types.push_back(argument->type);
  }
  const bool nullable = function.may_give_null || (function.strict && AnyNullable(arguments));
  auto node = Node(Kind::kCall, function.ResultType(types), nullable, std::move(arguments));
  node->function = &function;
  return node;
}

bool SameExpression(const Expression& a, const Expression& b) {
  if (&a == &b) {
    return true;
  }
  if (a.kind != b.kind || a.type != b.type || a.column != b.column || a.function != b.function ||
      a.literal != b.literal) {
    return false;
  }
  return std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const ExpressionPtr& left, const ExpressionPtr& right) {
                      return SameExpression(*left, *right);
                    });
}

void ForEachColumn(const Expression& expression, const std::function<void(size_t)>& visit) {
  if (expression.is_column()) {
    visit(expression.column);
  }
  for (const ExpressionPtr& argument : expression.arguments) {
    ForEachColumn(*argument, visit);
  }
}

ExpressionPtr ReplaceColumns(const ExpressionPtr& expression,
                             const std::function<ExpressionPtr(const Expression&)>& replace) {
  if (expression->is_column()) {
    return replace(*expression);
  }
  if (expression->arguments.empty()) {
    return expression;
  }
  std::vector<ExpressionPtr> arguments;
  for (const ExpressionPtr& argument : expression->arguments) {
    arguments.push_back(ReplaceColumns(argument, replace));
  }
  return WithArguments(*expression, std::move(arguments));
}

ExpressionPtr WithArguments(const Expression& expression, std::vector<ExpressionPtr> arguments) {
  auto node = std::make_shared<Expression>(expression);
  node->arguments = std::move(arguments);
  return node;
}

}  // namespace millrace
