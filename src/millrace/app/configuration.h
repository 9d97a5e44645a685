#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/app/processing_options.h"
#include "millrace/app/query_options.h"
#include "millrace/base/file_system.h"
#include "millrace/base/logging.h"
#include "millrace/base/options.h"
#include "millrace/engine/engine_options.h"
#include "millrace/serve/auth_options.h"
#include "millrace/serve/http_options.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {

enum class TransportKind : uint8_t { kEmbedded, kKafka };

/// What millrace.yaml, the environment and flags decide about a process.
struct Configuration {
  struct Places {
    std::string project_dir;
    std::string data_dir;
    TransportKind transport = TransportKind::kEmbedded;
  };

  Places places;
  serve::HttpServerOptions http;
  serve::AuthOptions auth;
  EngineOptions engine;
  EmbeddedTransport::Options storage;
  LogOptions logging;
  ProcessingOptions processing;
  QueryOptions query;
};

/// What of the command line matters for the configuration.
struct ConfigurationRequest {
  std::string directory;  ///< DIR; empty when it was not given.
  std::vector<OptionFlag> flags;
  /// "NAME=value" of the process; CONFIG_PATH and MILLRACE__* count.
  std::vector<std::string> environment;
};

/// A configuration as read. With `errors` its values are not to be used.
struct LoadedConfiguration {
  Configuration values;
  std::string file;                     ///< The configuration file; empty when there is none.
  std::vector<OptionReading> readings;  ///< All options, by section.
  std::vector<ProjectError> errors;     ///< By place.
};

/// One part of the configuration, for the reference.
struct OptionSection {
  std::string_view title;
  const OptionTableBase* table;
};
std::vector<OptionSection> ConfigurationSections();

/// Reads defaults, then the file, then the environment, then flags; later ones win. The file is
/// millrace.yaml in DIR, where it may be missing; without DIR it is the one that CONFIG_PATH names,
/// or else in the working directory. Relative paths of the file are relative to its directory,
/// those of the environment and flags to the working directory. project_dir defaults to the
/// directory of the file, data_dir to `data` in project_dir.
///
/// Errors are all in the result: kConfig..., kProjectNotFound for a file that CONFIG_PATH names and
/// that is not there, kNotImplemented for `transport: kafka`.
LoadedConfiguration LoadConfiguration(FileSystem& files, const ConfigurationRequest& request);

/// Options that were set and that this configuration does not use.
std::vector<OptionReading> UnusedOptions(const LoadedConfiguration& configuration);

}  // namespace millrace
