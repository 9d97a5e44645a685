#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/plan/definitions.h"
#include "millrace/stream/direct/direct_stream.h"

namespace millrace {

/// The tables of a project with storage = 'direct', and how their sources and views reach them.
class DirectTables {
 public:
  /// Opens the streams of all such tables in `base`, which outlives this. Errors: those of
  /// CreateStream, kCorruption.
  static Result<DirectTables> Open(const ProjectDefinition& project, Transport& base);

  /// What the source of a table commits to.
  Transport& SourceSide(const TableDefinition& table) const;
  bool IsReadBy(const ViewDefinition& view) const;
  /// What the pipeline of a view reads and commits to.
  Transport& ReaderSide(const ViewDefinition& view);
  /// See DirectStream::Close.
  void Close();

 private:
  Transport* base_ = nullptr;
  std::map<std::string, std::unique_ptr<DirectStream>, std::less<>> streams_;
  std::vector<std::unique_ptr<Transport>> sides_;
};

/// The columns of a direct table that its view does not need.
std::vector<size_t> UnreadColumns(const TableDefinition& table, const ProjectDefinition& project);

/// kStreamNotFound when records of the stream cannot be read, because none are stored.
Status CheckIsStored(const StreamDefinition& stream);

}  // namespace millrace
