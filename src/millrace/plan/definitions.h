#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/option_sources.h"
#include "millrace/base/source_location.h"
#include "millrace/data/schema.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// A stored generated column: computed at ingest from the declared columns.
struct GeneratedColumn {
  size_t column = 0;         ///< Index in the table's schema.
  ExpressionPtr expression;  ///< Over the table's schema; null = proctime().
};

/// What happens to records for a table that has its retention_bytes and may give none up.
enum class OnFull : uint8_t { kPause, kDrop };

/// CREATE TABLE: a stream and the connector that fills it.
struct TableDefinition {
  std::string name;
  SchemaPtr schema;  ///< All columns, generated ones too.
  std::vector<GeneratedColumn> generated;
  /// Generated column that is the time at which a record was committed, as its log has it; none =
  /// the table has none.
  std::optional<size_t> proctime;
  std::optional<size_t> event_time;  ///< timestamptz column; none = no watermark.
  Micros watermark_delay = 0;
  uint32_t partitions = 4;
  std::vector<size_t> partition_by;  ///< Empty: whole requests and files in turn.
  std::vector<size_t> primary_key;   ///< Empty: append-only. Else records are upserts.
  ExpressionPtr delete_when;         ///< Over the schema: records that delete; null = none.
  std::optional<Micros> retention;   ///< How long records are kept at least; none = for ever.
  std::optional<size_t>
      retention_bytes;  ///< At rest, from which on the oldest go; none = no limit.
  OnFull on_full = OnFull::kPause;
  bool is_direct = false;  ///< Nothing of it is stored: one view reads it as it comes.
  /// The WITH options besides those of TableOptionTable: the connector's, and checked by it.
  WithOptionMap options;
  SourceLocation location;
};

enum class EmitMode : uint8_t { kChanges, kFinal };

/// CREATE MATERIALIZED VIEW.
struct ViewDefinition {
  std::string name;
  bool of_insert = false;  ///< Made for the query of an INSERT; named "insert$" and its table.
  PlanPtr plan;
  EmitMode emit = EmitMode::kChanges;
  std::vector<std::string> inputs;  ///< Tables and materialized views it reads, without repeats.
  std::string sql;                  ///< The defining query, as written.
  SourceLocation location;
};

/// CREATE VIEW: put in where it is read. Views that read it do not need it; queries do.
struct PlainViewDefinition {
  std::string name;
  PlanPtr plan;
};

/// INSERT INTO: a table whose connector takes the records of a stream out of Millrace.
struct SinkDefinition {
  TableDefinition table;
  std::string stream;       ///< Of a table or view that it reads, row by row as it is.
  bool retracts = false;    ///< Whether the stream takes rows back.
  SourceLocation location;  ///< Of the INSERT.
};

/// What the SQL files of a project define, in dependency order.
struct ProjectDefinition {
  std::vector<TableDefinition> tables;
  std::vector<PlainViewDefinition> plain_views;
  std::vector<ViewDefinition> views;
  std::vector<SinkDefinition> sinks;

  const TableDefinition* FindTable(std::string_view name) const;
  const ViewDefinition* FindView(std::string_view name) const;
};

}  // namespace millrace
