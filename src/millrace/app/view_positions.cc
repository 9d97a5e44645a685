#include "millrace/app/view_positions.h"

namespace millrace {

namespace {

/// How far a view has read its sources, partition by partition as in runner.sources(): with `root`
/// that state of its rows (may be null), else what is committed.
std::vector<Offset> SourceOffsets(const PipelineRunner& runner, const ServedRows::Root* root) {
  return root != nullptr ? root->source_position() : runner.source_position();
}

}  // namespace

std::string SourcePositionText(const PipelineRunner& runner, const ServedRows::Root* root) {
  const auto& inputs = runner.plan().inputs;
  const bool is_bare = inputs.size() == 1 && !inputs.front().is_view;
  std::vector<StreamPosition> position(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    position[i].stream = is_bare ? "" : inputs[i].stream;
  }
  const auto offsets = SourceOffsets(runner, root);
  for (size_t i = 0; i < offsets.size(); ++i) {
    const PipelineRunner::Source& source = runner.sources()[i];
    position[source.input].parts.emplace_back(source.partition.value(), offsets[i]);
    if (inputs[source.input].is_view) {
      position[source.input].stream = NumberedName(inputs[source.input].stream, source.stream);
    }
  }
  return FormatSourcePosition(position);
}

std::vector<Offset> DurableEnds(Transport& transport, std::string_view stream) {
  const auto found = transport.FindStream(stream);
  std::vector<Offset> ends;
  for (uint32_t p = 0; found && p < found->definition.partitions; ++p) {
    ends.push_back(transport.Describe(found->id, PartitionId(p)).durable_end);
  }
  return ends;
}

ViewFrontier FrontierOf(Platform& platform) {
  ViewFrontier frontier;
  frontier.inputs = [&platform](const std::string& view) {
    const auto found = platform.views()->Find(view);
    return found == nullptr ? std::vector<std::string>() : found->definition().inputs;
  };
  frontier.read = [&platform](const std::string& view, const std::string& input) {
    const auto found = platform.views()->Find(view);
    const PipelineRunner& runner = found->runner();
    const ServedRows* served = runner.served_rows();
    const auto root = served == nullptr ? nullptr : served->root();
    const auto offsets = SourceOffsets(runner, root.get());
    // Until it is built a view's rows are of no position.
    const bool is_built = found->Progress() == 1;
    std::vector<Offset> of_input;
    for (size_t i = 0; i < offsets.size(); ++i) {
      if (runner.plan().inputs[runner.sources()[i].input].stream == input) {
        of_input.push_back(is_built ? offsets[i] : Offset(0));
      }
    }
    return of_input;
  };
  frontier.stream = [&platform](const std::string& relation) -> std::optional<StreamId> {
    const auto view = platform.views()->Find(relation);
    return view == nullptr ? std::nullopt : std::optional(view->runner().view_stream());
  };
  frontier.end = [&platform](const std::string& relation) {
    const auto view = platform.views()->Find(relation);
    if (view != nullptr && view->runner().served_rows() != nullptr) {
      return view->runner().served_rows()->root()->position();
    }
    return DurableEnds(platform.transport(), relation);
  };
  return frontier;
}

}  // namespace millrace
