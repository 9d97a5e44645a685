#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/project_history.h"
#include "millrace/plan/definitions.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// What a start does to one table or view.
struct ProjectChange {
  enum class Kind : uint8_t {
    kCreated,
    kKept,
    kExtended,   ///< A table whose columns changed in a way that its stored records can bear.
    kRebuilt,    ///< A view that is computed anew from what its inputs hold.
    kUndefined,  ///< In the data directory, and no longer in the project; stays as it is.
    kDropped,    ///< The same, and given up.
    kWaiting,    ///< A sink whose stream is or was rebuilt.
  };
  Kind kind;
  bool is_view = false;
  bool is_sink = false;
  /// Of kRebuilt: the view as it was serves until the new one has taken in what was there before
  /// it.
  bool is_beside = false;
  std::string name;
  std::string reason;  ///< Of kExtended and kRebuilt.
};
std::string_view Name(ProjectChange::Kind kind);

struct ProjectChangeOptions {
  size_t state_partitions = 16;
  bool prune = false;                   ///< Drop what the project no longer defines.
  bool accept_partial_history = false;  ///< Rebuild views whose inputs have lost records.
  bool rebuild_sinks = false;           ///< Begin sinks anew whose streams were rebuilt.
};

/// Whether the sink of a table has a position in another stream than `stream`: that of a view which
/// was rebuilt since. It would put the new rows behind the old ones.
bool HasReadAnotherStream(Transport& transport, std::string_view table, StreamId stream);

/// The difference between a project and the data directory that it is run over.
class ProjectChanges {
 public:
  /// Looks at every table and view of `project`, in its order, then at what only `transport` has.
  /// Errors: kDefinitionChanged when a table's stored records do not fit it, or a view would have
  /// to be rebuilt without all of its history; kNotImplemented.
  static Result<ProjectChanges> Find(const ProjectDefinition& project, Transport& transport,
                                     const ProjectChangeOptions& options);

  const std::vector<ProjectChange>& list() const { return list_; }

  /// The views that are built beside those of now, each with the project that defines what it is
  /// now. Its streams are in place until the new ones' take their names (app/next_streams.h).
  using Beside = std::map<std::string, std::shared_ptr<const ProjectDefinition>, std::less<>>;
  const Beside& beside() const { return beside_; }

  /// Makes the data directory ready for the project, in one commit. Nothing may use the transport
  /// meanwhile. Errors: those of Transport::ChangeStreams.
  Status Apply(Transport& transport) const;

 private:
  class Finder;

  std::vector<ProjectChange> list_;
  Beside beside_;
  StreamChanges streams_;
};

}  // namespace millrace
