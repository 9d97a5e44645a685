#include "millrace/connect/blackhole_connector.h"

namespace millrace {

namespace {

class BlackholeSink final : public Sink {
 public:
  Result<std::optional<Positions>> Open() override { return std::optional<Positions>(); }
  Status Write(const SinkRows&) override { return {}; }
  Status Flush() override { return {}; }
  size_t unflushed_bytes() const override { return 0; }
};

void Check(const TableDefinition& /*table*/, std::vector<ProjectError>& /*errors*/) {}

Result<std::unique_ptr<Sink>> MakeSink(const TableDefinition& /*table*/,
                                       const SinkContext& /*context*/) {
  return std::make_unique<BlackholeSink>();
}

}  // namespace

Connector MakeBlackholeConnector() {
  return {.name = "blackhole",
          .help = "A sink that takes rows and writes nothing, for measuring what is before it.",
          .check = Check,
          .check_sink = Check,
          .shows_changes = [](const TableDefinition&) { return true; },
          .make_sink = MakeSink};
}

}  // namespace millrace
