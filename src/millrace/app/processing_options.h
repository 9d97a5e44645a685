#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/base/options.h"

namespace millrace {

enum class OffsetReset : uint8_t { kEarliest, kLatest };
enum class ProcessingGuarantee : uint8_t { kExactlyOnce, kAtLeastOnce };

/// The section `processing`.
struct ProcessingOptions {
  std::vector<std::string> bootstrap_servers;
  std::string application_id;
  OffsetReset auto_offset_reset = OffsetReset::kEarliest;
  ProcessingGuarantee processing_guarantee = ProcessingGuarantee::kExactlyOnce;
  std::optional<Duration> window_size;  ///< Of `tumble(table, column)`.
  Duration grace_period{0};             ///< Of views without the option `grace`.
};

const OptionTable<ProcessingOptions>& ProcessingOptionTable();

}  // namespace millrace
