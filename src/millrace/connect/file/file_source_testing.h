#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/connect/file/file_source.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {

/// For tests: one file source over the simulated file system and the memory transport, on virtual
/// time. The table is t(at timestamptz, k text NOT NULL, n bigint) with event time `at`.
class FileSourceTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kIdleTimeout{30};

  FileSourceTest();

  // Files

  void Append(const std::string& path, std::string_view text);
  void Replace(const std::string& path, std::string_view text);
  void Rename(const std::string& from, const std::string& to) {
    ASSERT_TRUE(files_.Rename(from, to));
  }
  void Remove(const std::string& path) { ASSERT_TRUE(files_.RemoveFile(path)); }
  void Truncate(const std::string& path);
  std::string Content(const std::string& path);
  static std::string Gzip(std::string_view text);

  /// An NDJSON line with its end; `minute` after 2026-01-01.
  static std::string Line(int minute, std::string_view key = "a", int64_t n = 1);

  // The source

  /// Opens ingestor and source; what an earlier one has committed counts.
  void Start();
  Error StartError();
  /// Forgets what is not committed, and the source with it.
  void Crash();
  /// What ingestor and source work with.
  virtual Transport& SourceSide() { return *transport_; }
  /// Steps until the source wants to wait; returns for how long.
  std::chrono::nanoseconds Run();
  /// Moves the clock on in steps of the poll interval and runs after each.
  void Wait(std::chrono::nanoseconds time);

  // What is in the streams

  /// Keys (k) of all rows of a partition, in order.
  std::vector<std::string> Keys(uint32_t partition);
  /// Over all partitions, sorted.
  std::vector<std::string> Keys();
  /// "code record" of each error row, in order.
  std::vector<std::string> Errors();
  /// Messages of the error rows.
  std::vector<std::string> ErrorMessages();
  /// Control frames and data frames of a partition in order: "active", "3 rows <=00:05" with the
  /// minute that the watermark may be at, "watermark 00:07", "idle", "end".
  std::vector<std::string> Frames(uint32_t partition);

  TableDefinition table_;
  FileOptions options_;
  FileSource::Limits limits_{.decoder_threads = 2};
  StreamIngestor::Options ingest_options_;
  SimulatedFileSystem files_{1};
  ManualClock clock_;
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
  std::unique_ptr<FileSource> source_;

 private:
  Result<std::unique_ptr<FileSource>> Open();
  std::vector<StreamFrame> Read(const std::string& stream, uint32_t partition);
};

}  // namespace millrace
