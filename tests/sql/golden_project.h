#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/pipeline_runner.h"
#include "millrace/sql/compile_project.h"

#include "golden_mode.h"
#include "golden_rows.h"

namespace millrace::golden {

/// A running project on virtual time, in one mode: its tables and views without threads of their
/// own and without HTTP. Every call that changes something returns when all of it is durable and
/// every view has caught up, whatever faults the mode has put in between.
///
/// Errors are failures of the test, except where a function says otherwise.
class GoldenProject {
 public:
  explicit GoldenProject(const Mode& mode);
  ~GoldenProject();

  /// Adds SQL to the project and starts it again. Views over records that are there already read
  /// them from the begin.
  Status Define(const std::string& sql);
  /// Compiles the project with `sql` and returns the errors, "line:column: MR2002: text" within
  /// `sql`; none when it is accepted. Leaves the project as it is.
  std::vector<std::string> CompileErrors(const std::string& sql) const;

  /// Takes in one request of records.
  Status Append(const std::string& table, const std::string& records);
  /// Moves the clocks; partitions without records for the idle timeout become idle.
  Status Advance(std::string_view interval);

  /// The lines that a directive expects.
  using Answer = Result<std::vector<std::string>>;
  Answer Rows(const std::string& name);
  Answer Changes(const std::string& view);
  Answer Errors(const std::string& name);
  Answer Late(const std::string& view);

 private:
  Status Start();
  void Stop();
  Status Restart();
  /// Runs all views to the end of their input, with the mode's faults on the way.
  Status RunToEnd();
  /// Returns false when a fault has ended this life.
  Result<bool> RunOnce();
  Status Take(StreamIngestor& ingestor, std::string_view records);
  Status CheckAccounts() const;
  Status CheckServed(const std::string& view, const RowCounts& rows) const;
  /// In one mode, where no row was late or failed: a batch query gives the same.
  Status CheckBatch(const std::string& view, const RowCounts& rows);
  bool has_faults() const { return mode_.aborted > 0 || mode_.unknown > 0 || mode_.crashes; }

  const Mode mode_;
  ManualClock clock_;
  WorkerPool workers_;
  std::unique_ptr<Stage> stage_;
  std::vector<SqlFile> files_;
  ProjectDefinition project_;
  std::map<std::string, std::unique_ptr<StreamIngestor>> ingestors_;
  std::map<std::string, std::unique_ptr<PipelineRunner>> runners_;
  std::map<std::string, RowCounts> seen_;  // By view: as of its last Changes.
};

}  // namespace millrace::golden
