#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "millrace/base/check.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/compile_query.h"

// Queries of clients: any text gives a plan that can be shown, or an error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using millrace::ProjectDefinition;
  static const ProjectDefinition kProject = [] {
    const millrace::SqlFile file{
        "p.sql",
        "CREATE TABLE t (a int, b text, c numeric(10,2), j jsonb, at timestamptz) WITH "
        "(event_time = 'at'); CREATE TABLE u (id bigint PRIMARY KEY, b text);"
        "CREATE VIEW p AS SELECT a, b FROM t WHERE a > 0; CREATE MATERIALIZED VIEW v AS "
        "SELECT b, count(*) AS n FROM t GROUP BY b;"};
    return *millrace::CompileProject(std::span(&file, 1), {}, nullptr);
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto query = millrace::CompileQuery(text, kProject, {})) {
    (void)millrace::ExplainPlan(*query->plan);
    MR_CHECK(query->columns <= query->plan->schema->size(), "hidden columns come last");
    for (const millrace::SortKey& key : query->order) {
      MR_CHECK(key.column < query->plan->schema->size(), "a sort key is a column");
    }
  }
  return 0;
}
