// The same events from the generator and from a file of JSON lines.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/ingest_options.h"
#include "millrace/connect/nexmark/nexmark_json.h"
#include "millrace/connect/nexmark/nexmark_rows.h"
#include "millrace/sql/compile_project.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

constexpr uint64_t kEvents = 50'000;
constexpr std::string_view kPath = "/in/events.ndjson";

/// One table from the generator and one from the file, both with all columns; the times of the
/// three kinds are in one.
std::string Sql() {
  std::string columns;
  std::string from;
  constexpr std::string_view kKinds[] = {"person", "auction", "bid"};
  for (const nexmark::EventColumn& column : nexmark::AllColumns()) {
    if (column.json_key == "dateTime") {
      continue;
    }
    columns +=
        fmt::format("{}{} {}", columns.empty() ? "" : ", ", column.name, column.type.ToString());
    if (!column.of_all) {
      from += fmt::format(", {}.from = '{}.{}'", column.name,
                          kKinds[static_cast<size_t>(column.kind)], column.json_key);
    }
  }
  return fmt::format(
      "CREATE TABLE made ({0}) WITH (connector = 'nexmark', events = {1}, partitions = 1, "
      "event_time = 'date_time', out_of_order_group = 20);\n"
      "CREATE TABLE read ({0}) WITH (connector = 'file', path = '{2}', partitions = 1, "
      "event_time = 'date_time', timestamp_format = 'yyyy-MM-dd HH:mm:ss[.f]', "
      "date_time.from = 'person.dateTime | auction.dateTime | bid.dateTime'{3});\n",
      columns, kEvents, kPath, from);
}

class NexmarkStreamingTest : public ::testing::Test {
 protected:
  /// Runs the table's source to its end; returns its rows in order.
  std::vector<std::string> RowsOf(const std::string& name) {
    const TableDefinition& table = *project_.FindTable(name);
    auto ingestor = StreamIngestor::Open(table, *transport_, clock_, ReadIngestOptions(table));
    EXPECT_TRUE(ingestor) << ingestor.error().ToString();
    auto source = FindConnector(table)->open(table, {.ingestor = **ingestor,
                                                     .transport = *transport_,
                                                     .files = files_,
                                                     .clock = clock_,
                                                     .project_dir = "",
                                                     .wake = [] {}});
    EXPECT_TRUE(source) << source.error().ToString();
    while ((*source)->status().state != SourceStatus::State::kEnded) {
      const auto next = (*source)->Step();
      EXPECT_TRUE(next) << next.error().ToString();
    }
    EXPECT_EQ((*source)->status().errors, 0U);
    std::vector<std::string> rows;
    const RowJsonWriter writer(*table.schema);
    const auto cursor = transport_->OpenCursor((*ingestor)->stream(), PartitionId(0), Offset(0),
                                               Visibility::kDurable);
    const auto frames = cursor->Poll(SIZE_MAX);
    EXPECT_TRUE(frames);
    for (const StreamFrame& frame : *frames) {
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        writer.Append(*frame.batch, row, rows.emplace_back());
      }
    }
    return rows;
  }

  ProjectDefinition project_;
  SimulatedFileSystem files_{1};
  ManualClock clock_;
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
};

TEST_F(NexmarkStreamingTest, ReadsFromAFileWhatTheGeneratorMakes) {
  const SqlFile file{.path = "test.sql", .text = Sql()};
  std::vector<ProjectError> errors;
  auto project = CompileProject(std::span(&file, 1), {.check_connector = CheckConnector}, &errors);
  ASSERT_TRUE(project) << project.error().ToString();
  project_ = *std::move(project);
  ASSERT_TRUE(files_.CreateDirectories("/in"));
  const NexmarkOptions options{.events = kEvents, .out_of_order_group = 20};
  ASSERT_TRUE(nexmark::WriteJsonLines(options, files_, std::string(kPath)));
  const auto made = RowsOf("made");
  const auto read = RowsOf("read");
  ASSERT_EQ(made.size(), kEvents);
  EXPECT_EQ(read, made);
}

}  // namespace
}  // namespace millrace
