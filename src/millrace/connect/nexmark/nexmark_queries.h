#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/connect/nexmark/nexmark_options.h"

namespace millrace::nexmark {

/// A query of the benchmark, from bench/nexmark.
struct Query {
  std::string_view name;  ///< "q5"; also that of its view.
  std::string_view sql;   ///< Over the views person, auction and bid.
};

/// In order of number.
const std::vector<Query>& Queries();

/// Where events come from: a file of JSON lines, or else the generator.
struct Input {
  std::string file;
  bool is_stored = false;  ///< What is read from the file goes to a stream first.
  NexmarkOptions events;
};

/// The SQL of a project that runs one query: a table with the columns that the query names, the
/// three views over it, the query.
std::string ProjectSql(const Query& query, const Input& input);

}  // namespace millrace::nexmark
