#pragma once

#include <string>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/position_wait.h"
#include "millrace/engine/served_rows.h"

namespace millrace {

/// How far the views of a platform have come, as queries see them. `platform` outlives it.
ViewFrontier FrontierOf(Platform& platform);

/// How far a view has read its sources, as clients see it: with `root` that state of its rows (may
/// be null), else what is committed. Without a name for a view that reads just one table.
std::string SourcePositionText(const PipelineRunner& runner, const ServedRows::Root* root);

/// The durable ends of a stream's partitions; empty when there is no such stream.
std::vector<Offset> DurableEnds(Transport& transport, std::string_view stream);

}  // namespace millrace
