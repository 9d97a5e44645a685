#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::serve {

enum class FilterOperator : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};

/// `column <operator> text`; the service reads the text as the column's type.
struct ViewFilter {
  std::string column;
  FilterOperator operation;
  std::string text;
};

struct ViewOrder {
  std::string column;
  bool is_descending;
};

/// GET /api/v1/views/{view}. All filters hold together.
struct ViewQuery {
  std::string view;
  std::vector<ViewFilter> filters;
  std::vector<ViewOrder> order;  ///< Empty: the view's key.
  uint32_t limit = 100;
  std::string cursor;    ///< From the answer before; empty = the beginning.
  std::string wait_for;  ///< A position the rows must include; empty = what is there.
  std::chrono::milliseconds timeout{5'000};  ///< Of the wait; then kPositionNotReached.
};

/// GET /api/v1/streams/{stream}/records.
struct RecordsQuery {
  std::string stream;
  std::string from;  ///< A position or a cursor of an answer; empty = the stream's begin.
  uint32_t limit = 100;
};

/// Reads committed data. Implemented over the engine; thread-safe. No call may block: each answers
/// through `done`, exactly once, from any thread, with a whole JSON document.
/// Errors: kStreamNotFound, kSqlUnknownRelation, kSqlUnknownColumn, kSqlInvalidLiteral,
/// kHttpBadRequest (a cursor or position that does not fit), kPositionNotReached, kUnavailable (the
/// view is still backfilling).
class QueryService {
 public:
  using Done = std::function<void(Result<std::string>)>;

  virtual ~QueryService() = default;

  virtual void ListStreams(Done done) = 0;
  virtual void DescribeStream(std::string stream, Done done) = 0;
  virtual void ReadRecords(RecordsQuery query, Done done) = 0;
  virtual void ListViews(Done done) = 0;
  virtual void QueryView(ViewQuery query, Done done) = 0;
};

}  // namespace millrace::serve
