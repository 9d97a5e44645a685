#pragma once

#include <initializer_list>
#include <string_view>

#include <gtest/gtest.h>

#include "millrace/sql/expression_testing.h"

namespace millrace {

/// For tests: an expression with its answer, which is PostgreSQL's unless the SQL reference names a
/// difference.
struct ExpressionCase {
  std::string_view sql;
  std::string_view answer;
};

inline void ExpectAnswers(std::initializer_list<ExpressionCase> cases) {
  for (const ExpressionCase& each : cases) {
    EXPECT_EQ(EvaluateSql(each.sql), each.answer) << each.sql;
  }
}

}  // namespace millrace
