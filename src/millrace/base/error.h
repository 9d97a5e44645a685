#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// What a caller may do after an error.
enum class Retry : uint8_t {
  kNever,    ///< The same call fails again.
  kBackoff,  ///< The same call may succeed later.
  kAbort,    ///< The open epoch must be aborted and rolled back; then processing goes on.
  kFatal,    ///< The owner of the failed object must stop.
};

/// Stable numeric codes, one per kind of failure; the table is error_codes.inc.
enum class ErrorCode : uint16_t {
#define MR_ERROR(name, number, retry, meaning) k##name = number,
#include "millrace/base/error_codes.inc"
#undef MR_ERROR
};

/// One row of the code table, for the generated reference and for messages.
struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;  ///< UpperCamelCase, as in the reference.
  Retry retry;
  std::string_view meaning;  ///< One clause, lower case, no full stop.
};

/// Returns all codes in ascending order.
std::span<const ErrorCodeInfo> AllErrorCodes();

/// Returns the row of `code`. Every enumerator has one.
const ErrorCodeInfo& Describe(ErrorCode code);

/// A failure as a value: a stable code, what happened, where, and what to do next.
///
/// Cheap to move and to copy (one shared pointer to immutable detail); not for the path of
/// good records. Safe to pass between threads.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message,
        std::source_location where = std::source_location::current());

  ErrorCode code() const;
  int number() const { return static_cast<int>(code()); }
  Retry retry() const;
  const std::string& message() const;
  /// Outermost context first, e.g. "while opening stream clicks".
  const std::vector<std::string>& context() const;
  /// What the user can do about it; may be empty.
  const std::string& hint() const;
  std::source_location where() const;

  /// Returns a copy with one more sentence of context in front.
  Error WithContext(std::string context) const;
  Error WithHint(std::string hint) const;

  /// Renders "MR6003: context: message (hint)".
  std::string ToString() const;

 private:
  struct Detail;
  explicit Error(std::shared_ptr<const Detail> detail) : detail_(std::move(detail)) {}

  std::shared_ptr<const Detail> detail_;
};

}  // namespace millrace
