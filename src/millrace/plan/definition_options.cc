#include "millrace/plan/definition_options.h"

namespace millrace {

namespace {

/// 100 years: longer times would leave the range of timestamps.
constexpr std::string_view kDurationMax = "36525 d";

}  // namespace

const OptionTable<TableOptions>& TableOptionTable() {
  static const OptionTable<TableOptions> kTable = [] {
    OptionTable<TableOptions> table;
    table.Add("event_time", &TableOptions::event_time,
              "The timestamptz column that says when a record happened.");
    table
        .Add("watermark_delay", &TableOptions::watermark_delay,
             "How much older than the newest record one may be without being late.")
        .Between("0", kDurationMax);
    table
        .Add("partitions", &TableOptions::partitions,
             "Partitions of the stream; order holds within one.")
        .Between("1", "1024");
    table.Add("partition_by", &TableOptions::partition_by,
              "Columns whose values choose the partition; without, the primary key, or else whole "
              "requests go in turn.");
    table.Add("delete_when", &TableOptions::delete_when,
              "A condition, in SQL, for records that delete the row of their primary key.");
    table
        .Add("retention", &TableOptions::retention,
             "How long records are kept, by the time at which they came in; without, for ever. "
             "Those that a view or sink has still to read stay.")
        .Between("1 min", kDurationMax);
    table
        .Add("retention_bytes", &TableOptions::retention_bytes,
             "How much of the table is kept, as it is stored: beyond it the oldest records go, but "
             "not those that a view or sink has still to read.")
        .Between("1 MiB", "1024 TiB");
    table.AddChoice("storage", &TableOptions::is_direct, {{"stream", false}, {"direct", true}},
                    "Whether records are kept in a stream for whoever reads them, or go directly "
                    "to the one view that does: for sources that can be read again.");
    table.AddChoice(
        "on_full", &TableOptions::on_full, {{"pause", OnFull::kPause}, {"drop", OnFull::kDrop}},
        "What happens when the table has its retention_bytes and its readers are too "
        "far behind for any to go: new records are turned away, and sources wait "
        "(pause), or they are lost, with a row in errors$TABLE that counts them (drop).");
    return table;
  }();
  return kTable;
}

const OptionTable<ViewOptions>& ViewOptionTable() {
  static const OptionTable<ViewOptions> kTable = [] {
    OptionTable<ViewOptions> table;
    table.AddChoice("emit", &ViewOptions::emit,
                    {{"changes", EmitMode::kChanges}, {"final", EmitMode::kFinal}},
                    "Whether rows change as records come, or come once, when a window has closed.");
    table
        .Add("grace", &ViewOptions::grace,
             "How long after its end a window still takes rows; without, "
             "processing.grace_period.")
        .Between("0", kDurationMax);
    return table;
  }();
  return kTable;
}

}  // namespace millrace
