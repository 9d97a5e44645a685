#pragma once

#include "millrace/base/options.h"
#include "millrace/engine/pipeline_runner.h"

namespace millrace {

struct EngineOptions {
  int workers = 0;  ///< 0 = one for each processor.
  size_t memory_limit =
      0;  ///< Bytes for the state of all views; 0 = three quarters of all there is.
  PipelineRunner::Options pipeline;
};

/// engine.*: what a user may set.
const OptionTable<EngineOptions>& EngineOptionTable();

}  // namespace millrace
