#pragma once

#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/base/result.h"
#include "millrace/codec/byte_block.h"
#include "millrace/data/column.h"

namespace millrace::columnar {

/// Memory that the text columns of one batch share while they are encoded.
struct TextScratch {
  Scratch joined;
  Scratch compressed;
  std::vector<int32_t> lengths;
  std::vector<uint8_t> codes;
};

/// Appends the values of a text, bytea or jsonb column (TextKind). A dictionary is tried where a
/// sample shows repeats.
void EncodeText(const Column& column, TextScratch& scratch, Bytes& out);

struct DecodedText {
  std::vector<TextView> views;
  std::vector<BufferPtr> buffers;  ///< None or one.
};

/// Reads the values of `rows` texts. `payload` is what `reader` reads from its begin. kCorruption.
Result<DecodedText> DecodeText(ByteReader& reader, size_t rows, const BufferPtr& payload);

}  // namespace millrace::columnar
