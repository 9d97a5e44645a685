#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "millrace/engine/row_report.h"
#include "millrace/expr/evaluator.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// Filters, projections and window assignment between two stateful operators, run one after the
/// other over a batch. Immutable and thread-safe.
class StatelessChain {
 public:
  /// Adds a step behind the others. `node` is a filter, project or window node.
  void Add(const PlanNode& node);

  /// Adds a step that keeps these columns; `schema` is of them.
  void AddSelect(std::vector<size_t> columns, SchemaPtr schema);

  /// Returns the rows that come out, or null when there are none. Rows on which an expression fails
  /// go to `report`; filtered ones are counted there.
  BatchPtr Process(BatchPtr batch, RowReport& report) const;

 private:
  struct Filter {
    Evaluator predicate;
  };
  struct Project {
    SchemaPtr schema;
    Evaluator expressions;
  };
  struct Window {
    SchemaPtr schema;
    WindowNode node;
  };
  struct Select {
    std::vector<size_t> columns;
    SchemaPtr schema;
  };
  using Step = std::variant<Filter, Project, Window, Select>;

  static BatchPtr Run(const Filter& filter, const BatchPtr& batch, RowReport& report);
  static BatchPtr Run(const Project& project, BatchPtr batch, RowReport& report);
  static BatchPtr Run(const Window& window, BatchPtr batch, RowReport& report);
  static BatchPtr Run(const Select& select, const BatchPtr& batch, RowReport& report);

  std::vector<Step> steps_;
};

/// Start of the last window that holds `time`, where one begins every `slide`.
inline Micros WindowStart(Micros time, Micros slide, Micros origin) {
  const Micros since = time - origin;
  Micros remainder = since % slide;
  remainder += remainder < 0 ? slide : 0;
  return time - remainder;
}

}  // namespace millrace
