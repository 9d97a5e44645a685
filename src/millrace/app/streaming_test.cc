// A project's views over the memory transport on virtual time: what the engine, ingest and SQL do
// together.

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/codec/json_encoder.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/data/row_decoder.h"
#include "millrace/engine/pipeline_runner.h"
#include "millrace/sql/compile_project.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kSql = R"sql(
CREATE TABLE clicks (url text NOT NULL, price bigint, at timestamptz NOT NULL)
  WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '10 seconds',
        partitions = 2, partition_by = 'url');
CREATE MATERIALIZED VIEW counts AS
  SELECT window_start, url, count(*) AS n, sum(price) AS total
  FROM tumble(clicks, at, interval '1 minute') GROUP BY window_start, url;
CREATE MATERIALIZED VIEW finals WITH (emit = 'final') AS
  SELECT window_start, url, count(*) AS n
  FROM tumble(clicks, at, interval '1 minute') GROUP BY window_start, url;
CREATE MATERIALIZED VIEW dear AS SELECT url, price * 2 AS twice FROM clicks WHERE price > 10;
CREATE MATERIALIZED VIEW shares AS SELECT url, 100 / price AS share FROM clicks;
CREATE MATERIALIZED VIEW everything AS SELECT count(*) AS n, max(price) AS dearest FROM clicks;
)sql";

class StreamingTest : public ::testing::Test {
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
    runners_.clear();
    auto ingestor = StreamIngestor::Open(project_.tables.front(), *transport_, clock_, {});
    ASSERT_TRUE(ingestor) << ingestor.error().ToString();
    ingestor_ = *std::move(ingestor);
    for (const ViewDefinition& view : project_.views) {
      auto runner =
          PipelineRunner::Create(view, project_, *transport_, clock_, workers_, {}, [] {});
      ASSERT_TRUE(runner) << runner.error().ToString();
      runners_[view.name] = *std::move(runner);
    }
  }

  /// Posts NDJSON; every record must be accepted unless `refused` says how many are not.
  void Post(std::string_view body, size_t refused = 0) {
    const auto decoded = ingestor_->Decode(PaddedBuffer(body), JsonFraming::kLines);
    EXPECT_EQ(decoded.errors.size(), refused);
    ASSERT_TRUE(ingestor_->Commit(decoded, {}, {}, [](const CommitResult&) {}));
  }

  void RunToEnd() {
    for (const auto& [name, runner] : runners_) {
      while (true) {
        auto progress = runner->Step();
        ASSERT_TRUE(progress) << name << ": " << progress.error().ToString();
        if (*progress == PipelineRunner::Progress::kWaiting && runner->caught_up()) {
          break;
        }
      }
    }
  }

  /// The net rows of a view's change stream as JSON; a row twice is there twice.
  std::vector<std::string> Rows(const std::string& stream_name) {
    const auto stream = transport_->FindStream(stream_name);
    const RowJsonWriter writer(*stream->definition.schema);
    std::map<std::string, int64_t> counts;
    for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
      const auto cursor =
          transport_->OpenCursor(stream->id, PartitionId(p), Offset(0), Visibility::kDurable);
      const auto frames = cursor->Poll(SIZE_MAX);
      EXPECT_TRUE(frames);
      for (const StreamFrame& frame : *frames) {
        for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
          std::string json;
          writer.Append(*frame.batch, row, json);
          counts[json] += frame.batch->Weight(row);
        }
      }
    }
    std::vector<std::string> rows;
    for (const auto& [row, count] : counts) {
      EXPECT_GE(count, 0) << row;
      rows.insert(rows.end(), static_cast<size_t>(std::max<int64_t>(count, 0)), row);
    }
    return rows;
  }

  std::vector<std::string> Served(const std::string& view) {
    const auto root = runners_.at(view)->served_rows()->root();
    RowDecoder decoder(runners_.at(view)->plan().output_schema);
    for (size_t page = 0; page < root->pages(); ++page) {
      root->VisitPage(page, [&](std::string_view row, int64_t count) {
        EXPECT_EQ(count, 1);
        decoder.Add(row);
      });
    }
    const BatchPtr batch = decoder.Finish();
    const RowJsonWriter writer(batch->schema());
    std::vector<std::string> rows(batch->rows());
    for (size_t row = 0; row < rows.size(); ++row) {
      writer.Append(*batch, row, rows[row]);
    }
    std::ranges::sort(rows);
    return rows;
  }

  ProjectDefinition project_;
  ManualClock clock_;
  WorkerPool workers_{2};
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  std::unique_ptr<StreamIngestor> ingestor_;
  std::map<std::string, std::unique_ptr<PipelineRunner>> runners_;
};

TEST_F(StreamingTest, KeepsCountsPerWindowWithRetractions) {
  Post(R"({"url":"/a","price":5,"at":"2026-01-01T00:00:01Z"})");
  RunToEnd();
  Post(R"({"url":"/a","price":7,"at":"2026-01-01T00:00:59.999Z"}
{"url":"/a","at":"2026-01-01T00:01:00Z"})");
  RunToEnd();
  const auto expected =
      ElementsAre(R"({"window_start":"2026-01-01T00:00:00Z","url":"/a","n":2,"total":12})",
                  R"({"window_start":"2026-01-01T00:01:00Z","url":"/a","n":1,"total":null})");
  EXPECT_THAT(Rows("counts"), expected);
  EXPECT_THAT(Served("counts"), expected);
}

TEST_F(StreamingTest, EmitsFinalWindowsOnceWhenTheWatermarkPasses) {
  Post(R"({"url":"/a","at":"2026-01-01T00:00:01Z"}
{"url":"/a","at":"2026-01-01T00:01:09.999Z"})");
  RunToEnd();
  EXPECT_THAT(Rows("finals"), IsEmpty());  // The watermark is 00:00:59.999.
  Post(R"({"url":"/a","at":"2026-01-01T00:01:10Z"})");
  RunToEnd();
  EXPECT_THAT(Rows("finals"),
              ElementsAre(R"({"window_start":"2026-01-01T00:00:00Z","url":"/a","n":1})"));
}

TEST_F(StreamingTest, SendsLateRowsToTheirOwnStreamWhateverTheEpochs) {
  // One request, so one epoch: the third record is late by the second, in offset order.
  Post(R"({"url":"/a","at":"2026-01-01T00:00:01Z"}
{"url":"/a","at":"2026-01-01T00:01:10Z"}
{"url":"/a","at":"2026-01-01T00:00:02Z"})");
  RunToEnd();
  EXPECT_THAT(Rows("finals"),
              ElementsAre(R"({"window_start":"2026-01-01T00:00:00Z","url":"/a","n":1})"));
  EXPECT_EQ(Rows("late$finals").size(), 1);
  EXPECT_EQ(runners_.at("finals")->stats().rows_late, 1);
  // Without event time in its key a view has no late rows.
  EXPECT_THAT(Rows("everything"), ElementsAre(R"({"n":3,"dearest":null})"));
}

TEST_F(StreamingTest, FiltersAndReportsFailingRows) {
  Post(R"({"url":"/a","price":50,"at":"2026-01-01T00:00:01Z"}
{"url":"/b","price":0,"at":"2026-01-01T00:00:02Z"}
{"url":"/c","at":"2026-01-01T00:00:03Z"})");
  RunToEnd();
  EXPECT_THAT(Rows("dear"), ElementsAre(R"({"url":"/a","twice":100})"));
  EXPECT_THAT(Rows("shares"),
              UnorderedElementsAre(R"({"url":"/a","share":2})", R"({"url":"/c","share":null})"));
  EXPECT_THAT(Rows("errors$shares"), ElementsAre(::testing::HasSubstr("\"code\":3001")));
  for (const auto& [name, runner] : runners_) {
    const PipelineStats& stats = runner->stats();
    EXPECT_EQ(stats.rows_in,
              stats.rows_accepted + stats.rows_filtered + stats.rows_late + stats.rows_failed)
        << name;
  }
}

TEST_F(StreamingTest, KeepsRefusedRecordsWithTheirBytes) {
  Post("{\"url\":\"/a\",\"at\":\"2026-01-01T00:00:01Z\"}\n{\"url\":1,\"at\":\"x\"}\nnonsense\n", 2);
  RunToEnd();
  EXPECT_THAT(Rows("everything"), ElementsAre(R"({"n":1,"dearest":null})"));
  EXPECT_EQ(Rows("errors$clicks").size(), 2);
}

TEST_F(StreamingTest, HasOneGroupBeforeTheFirstRow) {
  RunToEnd();
  EXPECT_THAT(Rows("everything"), ElementsAre(R"({"n":0,"dearest":null})"));
  EXPECT_THAT(Rows("counts"), IsEmpty());
}

TEST_F(StreamingTest, GivesTheSameAfterRestartsBetweenAllEpochs) {
  for (int minute = 0; minute < 12; ++minute) {
    Post(fmt::format(R"({{"url":"/{}","price":{},"at":"2026-01-01T00:{:02}:30Z"}})", minute % 3,
                     minute, minute));
    RunToEnd();
    Start();
  }
  RunToEnd();
  std::vector<std::string> expected;
  expected.reserve(12);
  for (int minute = 0; minute < 12; ++minute) {
    expected.push_back(
        fmt::format(R"({{"window_start":"2026-01-01T00:{:02}:00Z","url":"/{}","n":1,"total":{}}})",
                    minute, minute % 3, minute));
  }
  EXPECT_THAT(Rows("counts"), ::testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(Served("counts"), Rows("counts"));
  EXPECT_THAT(Rows("everything"), ElementsAre(R"({"n":12,"dearest":11})"));
}

TEST_F(StreamingTest, ProcessesAbortedEpochsAgain) {
  Post(R"({"url":"/a","price":5,"at":"2026-01-01T00:00:01Z"})");
  RunToEnd();
  for (int i = 0; i < 20; ++i) {
    Post(fmt::format(R"({{"url":"/{}","price":1,"at":"2026-01-01T00:00:{:02}Z"}})", i % 2, i));
    transport_->Script({CommitOutcome::kAborted, CommitOutcome::kCommitted, CommitOutcome::kAborted,
                        CommitOutcome::kAborted});
    RunToEnd();
  }
  EXPECT_THAT(Rows("everything"), ElementsAre(R"({"n":21,"dearest":5})"));
  EXPECT_EQ(Served("counts"), Rows("counts"));
  EXPECT_EQ(Rows("counts").size(), 3);
}

TEST_F(StreamingTest, APositionIsSaidOnceItsRowsAreCounted) {
  Post(R"({"url":"/a","price":20,"at":"2026-01-01T00:00:00Z"})");
  PipelineRunner& dear = *runners_.at("dear");
  const auto read = [&] {
    const std::vector<Offset> position = dear.source_position();
    return std::ranges::count_if(position, [](Offset offset) { return offset > Offset(0); });
  };
  ASSERT_TRUE(dear.Step());
  EXPECT_FALSE(transport_->ReaderPositions(dear.reader()).empty()) << "it is committed";
  EXPECT_EQ(read(), 0);
  EXPECT_EQ(dear.stats().rows_in, 0U);
  ASSERT_TRUE(dear.Step());
  EXPECT_EQ(read(), 1);
  EXPECT_EQ(dear.stats().rows_in, 1U);
}

}  // namespace
}  // namespace millrace
