#include "millrace/stream/embedded/embedded_options.h"

namespace millrace {

const OptionTable<EmbeddedTransport::Options>& EmbeddedOptionTable() {
  using Options = EmbeddedTransport::Options;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .AddBytes("storage.journal_file_bytes", &Options::journal_file_bytes,
                  "Size of a journal file; a few are kept and used again.")
        .Between("1 MiB", "1 GiB");
    table
        .AddBytes("storage.segment_bytes", &Options::segment_bytes,
                  "Size after which a partition goes on in a new segment file.")
        .Between("1 MiB", "16 GiB");
    table
        .AddBytes(
            "storage.direct_bytes_min", &Options::direct_bytes_min,
            "A stream's part of a round from this size on goes to its segment at once and not "
            "through the journal.")
        .Between("4 KiB", "64 MiB");
    table
        .AddBytes("storage.round_bytes_max", &Options::round_bytes_max,
                  "About how much one round makes durable.")
        .Between("64 KiB", "256 MiB");
    table
        .AddBytes("storage.cache_bytes_max", &Options::cache_bytes_max,
                  "Memory for decoded records that readers will want soon.")
        .Between("1 MiB", "1 TiB");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
