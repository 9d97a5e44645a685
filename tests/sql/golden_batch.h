#pragma once

#include "millrace/base/clock.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

#include "golden_rows.h"

namespace millrace::golden {

/// The rows of a view, worked out once over all that its inputs hold: what a query answers.
/// `project` defines the view.
Result<RowCounts> BatchRows(const ViewDefinition& view, const ProjectDefinition& project,
                            Transport& transport, const Clock& clock);

}  // namespace millrace::golden
