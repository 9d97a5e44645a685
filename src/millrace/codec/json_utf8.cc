#include <simdjson.h>

#include "millrace/codec/json_scan.h"

namespace millrace::json {

bool ValidateUtf8(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

}  // namespace millrace::json
