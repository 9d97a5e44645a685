#pragma once

#include "millrace/base/options.h"
#include "millrace/engine/pipeline_runner.h"

namespace millrace {

struct EngineOptions {
  int workers = 0;  ///< 0 = one for each processor.
  PipelineRunner::Options pipeline;
};

/// engine.*: what a user may set.
const OptionTable<EngineOptions>& EngineOptionTable();

}  // namespace millrace
