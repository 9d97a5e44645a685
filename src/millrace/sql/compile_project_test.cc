#include "millrace/sql/compile_project.h"

#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/expr/evaluator.h"

namespace millrace {
namespace {

constexpr std::string_view kClicks =
    "CREATE TABLE clicks (user_id text NOT NULL, url text, price numeric(12,2), n bigint,\n"
    "  at timestamptz, day date GENERATED ALWAYS AS (at::date) STORED)\n"
    "  WITH (connector = 'http', event_time = 'at', watermark_delay = '5 seconds');\n";

/// Returns EXPLAIN of the view v, or the first error.
std::string Explain(const std::string& sql) {
  const SqlFile file{"a.sql", std::string(kClicks) + sql};
  std::vector<CompileError> errors;
  const auto project = CompileProject({&file, 1}, {}, &errors);
  if (!project) {
    return errors.front().ToString();
  }
  const ViewDefinition* view = project->FindView("v");
  return view == nullptr ? "" : "\n" + ExplainPlan(*view->plan);
}

TEST(CompileProjectTest, CompilesTumblingCount) {
  EXPECT_EQ(Explain("CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS "
                    "SELECT window_start, url, count(*) AS n "
                    "FROM tumble(clicks, at, interval '1 minute') "
                    "WHERE n > 3 GROUP BY window_start, window_end, url"),
            "");
}

}  // namespace
}  // namespace millrace
