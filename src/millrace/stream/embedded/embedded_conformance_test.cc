#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/transport_conformance_testing.h"

namespace millrace {
namespace {

/// With its threads, and sizes so small that every path is taken.
struct EmbeddedMaker {
  std::unique_ptr<Transport> Make() {
    EmbeddedTransport::Options options;
    options.journal_file_bytes = 2048;
    options.segment_bytes = 4096;
    options.direct_bytes_min = 600;
    options.round_bytes_max = 4096;
    options.cache_bytes_max = 100;
    auto opened = EmbeddedTransport::Open(files, "/data", std::move(options));
    EXPECT_TRUE(opened) << opened.error().ToString();
    return *std::move(opened);
  }

  SimulatedFileSystem files{1};
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Embedded, TransportConformanceTest, EmbeddedMaker);

}  // namespace millrace
