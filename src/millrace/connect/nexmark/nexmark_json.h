#pragma once

#include <cstdint>
#include <string>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"
#include "millrace/connect/nexmark/nexmark_options.h"
#include "millrace/data/batch.h"

namespace millrace::nexmark {

/// Appends each row of a batch of FullSchema as a line of JSON, as nexmark-flink writes events to
/// Kafka: {"event_type":2,"person":null,"auction":null,"bid":{...}}, timestamps as
/// yyyy-MM-dd HH:mm:ss.SSS.
void AppendJsonLines(const Batch& batch, std::string& out);

/// Writes the first `options.events` events to a new file, durably. Errors: kFileExists and what
/// the disk says.
Status WriteJsonLines(const NexmarkOptions& options, FileSystem& files, const std::string& path);

}  // namespace millrace::nexmark
