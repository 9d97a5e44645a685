#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// The WITH options that every table has, whatever its connector.
struct TableOptions {
  std::optional<std::string> event_time;
  std::optional<Duration> watermark_delay;
  std::optional<uint32_t> partitions;
  std::vector<std::string> partition_by;
  std::optional<std::string> delete_when;
  std::optional<Duration> retention;
  std::optional<ByteSize> retention_bytes;
  OnFull on_full = OnFull::kPause;
  bool is_direct = false;
};
const OptionTable<TableOptions>& TableOptionTable();

/// The WITH options of a materialized view.
struct ViewOptions {
  EmitMode emit = EmitMode::kChanges;
  std::optional<Duration> grace;
};
const OptionTable<ViewOptions>& ViewOptionTable();

}  // namespace millrace
