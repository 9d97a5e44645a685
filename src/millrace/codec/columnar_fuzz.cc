#include <cstddef>
#include <cstdint>

#include "millrace/base/check.h"
#include "millrace/codec/columnar.h"
#include "millrace/codec/columnar_format.h"
#include "millrace/data/random_batch.h"
#include "millrace/data/value.h"

namespace millrace {

/// Hostile bytes must be refused or decode to a batch that can be read and stored again. Row counts
/// above a few thousand are left out: they are valid, and slow.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kRowsMax = 5000;
  const SchemaPtr schema = SchemaOfAllTypes();
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto rows = ColumnarRows(bytes);
  if (!rows || *rows > kRowsMax) {
    return 0;
  }
  const auto batch = DecodeColumnar(schema, Buffer::Own(Bytes(bytes.begin(), bytes.end())));
  if (!batch) {
    return 0;
  }
  Bytes stored;
  EncodeColumnar(**batch, stored);
  const auto again = DecodeColumnar(schema, Buffer::Own(std::move(stored)));
  MR_CHECK(again.has_value());
  for (size_t column = 0; column < schema->size(); ++column) {
    for (size_t row = 0; row < *rows; ++row) {
      MR_CHECK(ValueAt((*batch)->column(column), row).is_null() ==
               ValueAt((*again)->column(column), row).is_null());
    }
  }
  return 0;
}

}  // namespace millrace
