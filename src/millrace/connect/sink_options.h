#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/sink_runner.h"

namespace millrace {

/// The WITH options of every table that INSERT INTO fills, whatever its connector.
const OptionTable<SinkRunner::Options>& SinkOptionTable();

/// Adds what is wrong with a table that INSERT INTO fills: its connector is no sink, or cannot show
/// that rows are taken back (kSqlInvalidDefinition), kConfigUnknownKey, kConfigInvalidValue,
/// kConfigMissingValue. In place of CheckConnector, which is for tables that have a source.
void CheckSink(const SinkDefinition& sink, std::vector<ProjectError>& errors);

/// What the sink of a table needs; all of it outlives the runner.
struct SinkSurroundings {
  Transport& transport;
  FileSystem& files;
  const Clock& clock;
  std::string project_dir;     ///< Where relative paths begin.
  std::function<void()> wake;  ///< Ends the wait after a step; from any thread.
  SinkMetrics metrics;
};

/// Makes the runner that carries `stream` to the sink of a table that has passed CheckSink.
std::unique_ptr<SinkRunner> MakeSinkRunner(const TableDefinition& table, const StreamInfo& stream,
                                           const SinkSurroundings& surroundings);

}  // namespace millrace
