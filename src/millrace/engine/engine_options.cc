#include "millrace/engine/engine_options.h"

namespace millrace {

const OptionTable<EngineOptions>& EngineOptionTable() {
  static const OptionTable<EngineOptions> kTable = [] {
    OptionTable<EngineOptions> table;
    table
        .Add("engine.workers", &EngineOptions::workers,
             "Threads that run pipelines; 0 is one for each processor.")
        .Between("0", "1024");
    table
        .AddBytes("engine.memory_limit", &EngineOptions::memory_limit,
                  "Memory for the state of all views together; one that would pass it stops after "
                  "its last commit. 0 is three quarters of the memory that the process may use.")
        .Between("0", "16 TiB");
    table
        .Add(
            "engine.state_partitions",
            [](auto& options) -> auto& { return options.pipeline.state_partitions; },
            "Pieces of each view's state that can be worked on at once; fixed once the view "
            "exists.")
        .Between("1", "1024");
    table
        .AddBytes(
            "engine.epoch_bytes_max",
            [](auto& options) -> auto& { return options.pipeline.epoch_bytes_max; },
            "About how much one epoch of a view takes in.")
        .Between("64 KiB", "1 GiB");
    table
        .Add(
            "engine.epochs_in_flight_max",
            [](auto& options) -> auto& { return options.pipeline.epochs_in_flight_max; },
            "Epochs of a view that may wait for their commit at once.")
        .Between("1", "2");
    table
        .Add(
            "engine.small_epoch_rows",
            [](auto& options) -> auto& { return options.pipeline.small_epoch_rows; },
            "An epoch of at most so many rows does not wait for the one before.")
        .Between("0", "1000000");
    table
        .Add(
            "engine.large_epoch_rows",
            [](auto& options) -> auto& { return options.pipeline.large_epoch_rows; },
            "An epoch of at least so many rows does not wait for the one before.")
        .Between("1", "100000000");
    table
        .Add(
            "engine.batch_rows_max",
            [](auto& options) -> auto& { return options.pipeline.batch_rows_max; },
            "Rows that an operator takes at once.")
        .Between("1", "65536");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
