#pragma once

#include <string>

#include "millrace/plan/plan_node.h"
#include "millrace/sql/located_error.h"

namespace millrace::internal {

/// Where SELECT finds what FROM names. The seam between the binder of one query and the catalogue
/// of a project (or a running server).
class Relations {
 public:
  virtual ~Relations() = default;

  /// Returns the plan that gives the relation's rows: a scan, or the plan of an inlined view.
  /// kSqlUnknownRelation with the nearest name at `offset`; kSqlCycle.
  virtual Bound<PlanPtr> Resolve(const std::string& name, int offset) = 0;
};

}  // namespace millrace::internal
