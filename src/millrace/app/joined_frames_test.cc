// A view whose position lies inside frames that the copier has joined since: nothing is counted
// twice or lost, and rows are late as they were before.

#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/pipeline_runner.h"
#include "millrace/sql/compile_project.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {
namespace {

constexpr std::string_view kSql = R"sql(
CREATE TABLE clicks (n bigint NOT NULL, at timestamptz NOT NULL)
  WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '10 seconds',
        partitions = 1);
CREATE MATERIALIZED VIEW counts WITH (emit = 'final') AS
  SELECT window_start, count(*) AS n, sum(n) AS total
  FROM tumble(clicks, at, interval '1 minute') GROUP BY window_start;
)sql";

class JoinedFramesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const SqlFile file{.path = "test.sql", .text = std::string(kSql)};
    auto project = CompileProject(std::span(&file, 1), {}, nullptr);
    ASSERT_TRUE(project) << project.error().ToString();
    project_ = *std::move(project);
    clock_.SetWall(1'767'225'600'000'000);  // 2026-01-01
    Start();
  }

  void Start() {
    runner_.reset();
    ingestor_.reset();
    transport_.reset();
    EmbeddedTransport::Options options;
    options.manual = true;
    options.journal_file_bytes = 8192;
    options.cache_bytes_max = 0;
    auto transport = EmbeddedTransport::Open(files_, clock_, "/data", options);
    ASSERT_TRUE(transport) << transport.error().ToString();
    transport_ = *std::move(transport);
    auto ingestor = StreamIngestor::Open(project_.tables.front(), *transport_, clock_, {});
    ASSERT_TRUE(ingestor) << ingestor.error().ToString();
    ingestor_ = *std::move(ingestor);
    auto runner = PipelineRunner::Create(project_.views.front(), project_, *transport_, clock_,
                                         workers_, {}, [] {});
    ASSERT_TRUE(runner) << runner.error().ToString();
    runner_ = *std::move(runner);
  }

  void Post(int64_t n, std::string_view time) {
    const std::string body = fmt::format(R"({{"n":{},"at":"2026-01-01T{}Z"}})", n, time);
    const auto decoded = ingestor_->Decode(PaddedBuffer(body), JsonFraming::kLines);
    ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, [](const CommitResult&) {}));
    transport_->RunRound();
  }

  void RunToEnd() {
    while (true) {
      const auto progress = runner_->Step();
      ASSERT_TRUE(progress) << progress.error().ToString();
      if (*progress == PipelineRunner::Progress::kWaiting && runner_->caught_up()) {
        return;
      }
      transport_->RunRound();
    }
  }

  /// Fills journal files with other records until the copier has moved the first ones.
  void CopyAll() {
    const auto filler = transport_->CreateStream({.name = "filler", .properties = {}});
    for (int i = 0; i < 8; ++i) {
      auto writer = transport_->BeginEpoch();
      writer->AppendOpaque(*filler, PartitionId(0), FrameType::kState, Bytes(4000));
      writer->CommitAsync([](const CommitResult&) {});
      transport_->RunRound();
      while (transport_->RunCopier()) {
        transport_->RunRound();
      }
    }
  }

  std::vector<StreamFrame> Frames(const std::string& stream) {
    const auto cursor = transport_->OpenCursor(transport_->FindStream(stream)->id, PartitionId(0),
                                               Offset(0), Visibility::kDurable);
    auto frames = cursor->Poll(SIZE_MAX);
    EXPECT_TRUE(frames);
    return *std::move(frames);
  }

  std::vector<std::string> Rows(const std::string& stream) {
    const RowJsonWriter writer(*transport_->FindStream(stream)->definition.schema);
    std::vector<std::string> rows;
    for (const StreamFrame& frame : Frames(stream)) {
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        writer.Append(*frame.batch, row, rows.emplace_back());
      }
    }
    return rows;
  }

  SimulatedFileSystem files_{7};
  ManualClock clock_;
  WorkerPool workers_{1};
  ProjectDefinition project_;
  std::unique_ptr<EmbeddedTransport> transport_;
  std::unique_ptr<StreamIngestor> ingestor_;
  std::unique_ptr<PipelineRunner> runner_;
};

TEST_F(JoinedFramesTest, GoesOnInsideThem) {
  for (int second = 0; second < 20; ++second) {
    Post(second, fmt::format("00:00:{:02}", second));
  }
  RunToEnd();
  for (int second = 20; second < 40; ++second) {
    Post(second, fmt::format("00:00:{:02}", second));
  }
  Post(100, "00:02:30");
  Post(1000, "00:00:50");  // Late by the record before it.
  const size_t frames = Frames("clicks").size();
  CopyAll();
  ASSERT_LT(Frames("clicks").size(), frames / 4);
  Start();
  Post(200, "00:05:00");
  RunToEnd();
  EXPECT_EQ(Rows("counts"), (std::vector<std::string>{
                                R"({"window_start":"2026-01-01T00:00:00Z","n":40,"total":780})",
                                R"({"window_start":"2026-01-01T00:02:00Z","n":1,"total":100})"}));
  EXPECT_EQ(Rows("late$counts").size(), 1);
  EXPECT_EQ(Rows("clicks").size(), 43);
}

}  // namespace
}  // namespace millrace
