#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/connect/generate/row_generator.h"
#include "millrace/connect/nexmark/nexmark_events.h"
#include "millrace/connect/nexmark/nexmark_options.h"
#include "millrace/connect/nexmark/nexmark_texts.h"
#include "millrace/data/schema.h"

namespace millrace::nexmark {

struct EventBlock;

/// A column of the table: a field of one kind of event, NULL for the others, or of all.
struct EventColumn {
  std::string_view name;
  std::string_view json_key;  ///< In the event's object; empty for a column of all events.
  DataType type;
  bool of_all = false;
  Kind kind = Kind::kPerson;
  Column (*make)(const EventBlock& block) = nullptr;
};

/// All there are, those of one kind together and in the order of the original's records.
std::span<const EventColumn> AllColumns();
/// Null when there is no such column.
const EventColumn* FindColumn(std::string_view name);
/// The schema of AllColumns.
SchemaPtr FullSchema();

/// The events as rows: any of the columns, built column by column; what is not asked for costs
/// nothing.
class NexmarkRows final : public RowGenerator {
 public:
  /// `schema` has columns of AllColumns only.
  NexmarkRows(SchemaPtr schema, const NexmarkOptions& options);

  BatchPtr Make(uint64_t first, size_t count) override;
  Micros EarliestFrom(uint64_t first) const override;

 private:
  const SchemaPtr schema_;
  const NexmarkOptions options_;
  const Events events_;
  const uint64_t mixed_seed_;
  const Channels channels_;
  std::vector<const EventColumn*> columns_;
};

}  // namespace millrace::nexmark
