#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/clock.h"
#include "millrace/connect/sink_runner.h"
#include "millrace/connect/stepped_thread.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {

/// For tests: the stream t(k text, n bigint) with two partitions on the memory transport, and a
/// runner on virtual time that carries it to a sink.
class SinkTest : public ::testing::Test {
 protected:
  SinkTest();

  /// Appends rows ("a", 1), ("b", 2), ... to a partition; `first`: the number of the first.
  void Append(uint32_t partition, const std::vector<std::string>& keys, int64_t first = 1,
              int32_t weight = 1);
  void AppendControl(uint32_t partition, ControlFrame::Kind kind);

  void Start();
  /// Steps until the runner wants to wait; returns for how long.
  std::chrono::nanoseconds Run();
  /// Runs, moves the clock on in steps of half a second and runs after each.
  void Wait(std::chrono::nanoseconds time);
  /// Position of the reader in the transport; -1 when it has none.
  int64_t Committed(uint32_t partition);

  SinkRunner::MakeSink make_;
  SinkRunner::Options options_;
  ManualClock clock_;
  std::unique_ptr<MemoryTransport> transport_ = MemoryTransport::Immediate();
  StreamInfo stream_;
  int wakes_ = 0;
  std::unique_ptr<SinkRunner> runner_;
};

}  // namespace millrace
