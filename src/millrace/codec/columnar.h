#pragma once

#include "millrace/base/bytes.h"
#include "millrace/base/result.h"
#include "millrace/data/batch.h"

namespace millrace {

/// Appends `batch` with its extras to `out` as a columnar payload: the form of batches in stream
/// frames and in internal Kafka records (docs/internals/columnar-format.md). The payload has no
/// checksum; the frame around it has.
///
/// Limits, which producers keep by cutting batches: 2^24 rows, 4096 columns, 1 GiB per column.
void EncodeColumnar(const Batch& batch, Bytes& out);

/// Reads a payload into the columns of `schema`, found by name: other stored columns are skipped,
/// nullable ones that are not stored are NULL. So a reader may ask for fewer columns, and an added
/// column needs no rewrite.
///
/// Text that is stored uncompressed refers to `payload` (of at most 4 GiB) and keeps it alive;
/// other text has one buffer per column. Hostile bytes never crash and allocate at most the limits
/// above. Errors: kCorruption; kFormatTooNew; kDefinitionChanged when a column is stored with
/// another type or a NOT NULL column is not stored.
Result<BatchPtr> DecodeColumnar(const SchemaPtr& schema, const BufferPtr& payload);

/// Returns the row count of a payload without decoding it. kCorruption, kFormatTooNew.
Result<size_t> ColumnarRows(std::span<const std::byte> payload);

}  // namespace millrace
