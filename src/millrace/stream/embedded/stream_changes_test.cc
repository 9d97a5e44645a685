// Streams that are dropped and redefined, with the disk crashing at every operation meanwhile.

#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/data/column_builder.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {
namespace {

constexpr int kEpochs = 30;
constexpr int kRowsPerEpoch = 20;
constexpr uint64_t kSeeds = 3;
constexpr const char* kReader = "view:totals";
constexpr const char* kOldDirectory = "/data/streams/totals.2";

SchemaPtr OneColumn() {
  return MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
}

BatchPtr Rows(int64_t first) {
  ColumnBuilder ids(DataType::Of(TypeId::kInt64));
  for (int64_t i = first; i < first + kRowsPerEpoch; ++i) {
    ids.AppendFixed(i);
  }
  return Batch::Make(OneColumn(), {ids.Finish()}, kRowsPerEpoch);
}

/// One data directory: a stream that stays and one that is dropped.
class Machine {
 public:
  explicit Machine(uint64_t seed) : files_(seed) {}

  bool Open() {
    EmbeddedTransport::Options options;
    options.manual = true;
    options.journal_file_bytes = 4096;
    options.segment_bytes = 4096;
    options.direct_bytes_min = 2048;
    auto opened = EmbeddedTransport::Open(files_, clock_, "/data", options);
    EXPECT_TRUE(opened || files_.crashed()) << opened.error().ToString();
    if (!opened) {
      return false;
    }
    transport_ = *std::move(opened);
    return true;
  }
  void Close() {
    transport_.reset();
    files_.Restart();
  }

  bool Create(const std::string& name, uint32_t partitions) {
    return transport_
        ->CreateStream(
            {.name = name, .partitions = partitions, .schema = OneColumn(), .properties = {}})
        .has_value();
  }

  /// A few epochs, some of them in segments.
  void Fill(const std::string& name) {
    const StreamId stream = transport_->FindStream(name)->id;
    for (int i = 0; i < kEpochs; ++i) {
      auto epoch = transport_->BeginEpoch();
      epoch->Append(stream, PartitionId(0), Rows(int64_t{i} * kRowsPerEpoch), {});
      epoch->SetPosition(kReader, stream, PartitionId(0), Offset(i));
      epoch->CommitAsync({});
      if (i % 3 == 0) {
        transport_->RunRound();
        transport_->RunCopier();
      }
    }
    Rest();
  }

  void Rest() {
    while (transport_->RunRound() || transport_->RunCopier()) {
    }
  }

  /// Whether all that Fill has written can be read, end to end.
  bool HasAll(const std::string& name) {
    const StreamId stream = transport_->FindStream(name)->id;
    const auto cursor =
        transport_->OpenCursor(stream, PartitionId(0), Offset(0), Visibility::kDurable);
    int64_t next = 0;
    for (auto frames = cursor->Poll(1 << 20); frames && !frames->empty();
         frames = cursor->Poll(1 << 20)) {
      for (const StreamFrame& frame : *frames) {
        for (const int64_t id : frame.batch->column(0).Values<int64_t>()) {
          EXPECT_EQ(id, next++);
        }
      }
    }
    return next == int64_t{kEpochs} * kRowsPerEpoch;
  }

  Status Drop(const std::string& name) {
    return transport_->ChangeStreams({.redefined = {},
                                      .dropped = {transport_->FindStream(name)->id},
                                      .forgotten_readers = {kReader},
                                      .forgotten_sources = {}});
  }

  SimulatedFileSystem& files() { return files_; }
  EmbeddedTransport& transport() { return *transport_; }

 private:
  SimulatedFileSystem files_;
  ManualClock clock_;
  std::unique_ptr<EmbeddedTransport> transport_;
};

/// Drops a stream and makes another of its name, with a crash at operation `crash_at` of that.
/// Returns whether there was one.
bool DropWithACrash(uint64_t seed, uint64_t crash_at) {
  Machine machine(seed);
  EXPECT_TRUE(machine.Open() && machine.Create("clicks", 1) && machine.Create("totals", 2));
  machine.Fill("clicks");
  machine.Fill("totals");
  machine.Close();

  machine.files().SetFaults({.crash_at = crash_at});
  bool dropped = false;
  bool made = false;
  if (machine.Open()) {
    dropped = machine.Drop("totals").has_value();
    made = dropped && machine.Create("totals", 3);
    if (made) {
      machine.Fill("totals");
    }
  }
  const bool crashed = machine.files().crashed();
  EXPECT_TRUE(crashed || made);
  machine.Close();

  if (!machine.Open()) {
    ADD_FAILURE() << "not recovered";
    return crashed;
  }
  EXPECT_TRUE(machine.HasAll("clicks"));
  const auto found = machine.transport().FindStream("totals");
  const bool has_positions = !machine.transport().ReaderPositions(kReader).empty();
  if (found && found->definition.partitions == 2) {
    EXPECT_FALSE(dropped) << "came back";
    EXPECT_TRUE(has_positions);
    EXPECT_TRUE(machine.HasAll("totals"));
  } else {
    EXPECT_TRUE(found || !made);
    EXPECT_TRUE(found || !has_positions);
  }
  if (found && found->definition.partitions == 3 && !crashed) {
    machine.Rest();
    EXPECT_TRUE(machine.HasAll("totals"));
    EXPECT_FALSE(machine.files().List(kOldDirectory)) << "the old records take space";
  }
  return crashed;
}

TEST(StreamChanges, SurviveACrashAtEveryOperation) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    uint64_t crash_at = 1;
    while (DropWithACrash(seed, crash_at)) {
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", crash at " << crash_at;
      ++crash_at;
    }
    EXPECT_GT(crash_at, 50U);
  }
}

/// Puts a stream in the place of another, with a crash at operation `crash_at` of that. Returns
/// whether there was one.
bool ReplaceWithACrash(uint64_t seed, uint64_t crash_at) {
  Machine machine(seed);
  EXPECT_TRUE(machine.Open() && machine.Create("totals", 2) && machine.Create("next$totals", 1));
  machine.Fill("totals");
  machine.Fill("next$totals");
  machine.Close();

  machine.files().SetFaults({.crash_at = crash_at});
  bool replaced = false;
  if (machine.Open()) {
    replaced = machine.transport()
                   .ChangeStreams({.redefined = {},
                                   .dropped = {machine.transport().FindStream("totals")->id},
                                   .renamed = {{.from = "next$totals", .to = "totals"}},
                                   .forgotten_readers = {},
                                   .renamed_readers = {{.from = kReader, .to = "view:renamed"}},
                                   .forgotten_sources = {}})
                   .has_value();
    machine.Rest();
  }
  const bool crashed = machine.files().crashed();
  EXPECT_TRUE(crashed || replaced);
  for (int i = 0; i < 2; ++i) {
    machine.Close();
    if (!machine.Open()) {
      ADD_FAILURE() << "not recovered";
      return crashed;
    }
    const bool is_new = machine.transport().FindStream("totals")->definition.partitions == 1;
    EXPECT_TRUE(is_new || !replaced) << "came back";
    EXPECT_EQ(machine.transport().FindStream("next$totals").has_value(), !is_new);
    EXPECT_EQ(machine.transport().ReaderPositions(kReader).empty(), is_new);
    EXPECT_EQ(machine.transport().ReaderPositions("view:renamed").empty(), !is_new);
    EXPECT_TRUE(machine.HasAll("totals"));
    machine.Rest();
  }
  return crashed;
}

TEST(StreamChanges, AReplacementSurvivesACrashAtEveryOperation) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    uint64_t crash_at = 1;
    while (ReplaceWithACrash(seed, crash_at)) {
      ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed << ", crash at " << crash_at;
      ++crash_at;
    }
    EXPECT_GT(crash_at, 20U);
  }
}

TEST(StreamChanges, RedefinitionsAreKept) {
  Machine machine(1);
  ASSERT_TRUE(machine.Open() && machine.Create("clicks", 1));
  machine.Fill("clicks");
  StreamInfo info = *machine.transport().FindStream("clicks");
  info.definition.schema = MakeSchema(
      {info.definition.schema->field(0), {.name = "more", .type = DataType::Of(TypeId::kText)}});
  ASSERT_TRUE(machine.transport().ChangeStreams(
      {.redefined = {info}, .dropped = {}, .forgotten_readers = {}, .forgotten_sources = {}}));
  machine.Close();
  ASSERT_TRUE(machine.Open());
  EXPECT_EQ(*machine.transport().FindStream("clicks")->definition.schema, *info.definition.schema);
  const auto cursor =
      machine.transport().OpenCursor(info.id, PartitionId(0), Offset(0), Visibility::kDurable);
  const auto frames = cursor->Poll(1 << 20);
  ASSERT_TRUE(frames) << frames.error().ToString();
  EXPECT_TRUE(frames->front().batch->column(1).IsNull(0));
  EXPECT_TRUE(machine.HasAll("clicks"));
}

}  // namespace
}  // namespace millrace
