#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/engine/pipeline_plan.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// The streams of one view, as they are to be.
struct PipelineStreams {
  StreamDefinition view;
  StreamDefinition state;
  StreamDefinition errors;
  std::optional<StreamDefinition> late;
  /// The last rows of what the operator that remembers rows has forgotten: with those in its state
  /// these are all rows of the view, so that a restart need not read its change stream.
  std::optional<StreamDefinition> closed;

  /// `partitions`: the most that a stream has which the view reads.
  static PipelineStreams Of(const PipelinePlan& plan, uint32_t partitions, size_t state_partitions);

  std::vector<StreamDefinition> All() const;
};

/// Names of all streams that a view may have.
std::vector<std::string> StreamNamesOfView(std::string_view view);
/// Name of the stream of a view's state: the view is there when it is.
std::string StateStreamOf(std::string_view view);
/// The state partitions that the stream `state` was made with; `otherwise` when there is none.
size_t StatePartitionsOf(Transport& transport, std::string_view state, size_t otherwise);
/// Name of the reader whose positions say what a view has read.
std::string ReaderOfView(std::string_view view);

}  // namespace millrace
