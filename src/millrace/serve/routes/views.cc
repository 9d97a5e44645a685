#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/serve/routes/json_answer.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

constexpr uint64_t kLimitMax = 10'000;
constexpr uint64_t kTimeoutMillisMax = 60'000;
constexpr size_t kOrderMax = 16;

struct Suffix {
  std::string_view text;
  FilterOperator operation;
};

constexpr auto kSuffixes = std::to_array<Suffix>({
    {".eq", FilterOperator::kEqual},
    {".ne", FilterOperator::kNotEqual},
    {".lt", FilterOperator::kLess},
    {".lte", FilterOperator::kLessOrEqual},
    {".gt", FilterOperator::kGreater},
    {".gte", FilterOperator::kGreaterOrEqual},
});

/// Parameters that are not filters. A column of such a name is reached with ".eq".
constexpr std::array<std::string_view, 5> kReserved{"order", "limit", "cursor", "wait_for",
                                                    "timeout_ms"};

ViewFilter ParseFilter(const QueryParameters::Pair& pair) {
  for (const Suffix& suffix : kSuffixes) {
    if (pair.name.size() > suffix.text.size() && pair.name.ends_with(suffix.text)) {
      return {.column = pair.name.substr(0, pair.name.size() - suffix.text.size()),
              .operation = suffix.operation,
              .text = pair.value};
    }
  }
  return {.column = pair.name, .operation = FilterOperator::kEqual, .text = pair.value};
}

Result<std::vector<ViewOrder>> ParseOrder(std::string_view text) {
  std::vector<ViewOrder> order;
  while (!text.empty()) {
    std::string_view column = text.substr(0, text.find(','));
    text.remove_prefix(std::min(column.size() + 1, text.size()));
    const bool is_descending = column.starts_with('-');
    column.remove_prefix(is_descending ? 1 : 0);
    if (column.empty() || order.size() == kOrderMax ||
        std::ranges::find(order, column, &ViewOrder::column) != order.end()) {
      return Err(ErrorCode::kHttpBadRequest,
                 "order must be different columns, such as order=-n,url");
    }
    order.push_back({.column = std::string(column), .is_descending = is_descending});
  }
  return order;
}

Result<ViewQuery> ParseQuery(const Request& request) {
  const QueryParameters& parameters = request.query;
  ViewQuery query{.view = request.path_parameters[0]};
  for (const auto& pair : parameters.pairs()) {
    if (std::ranges::find(kReserved, pair.name) == kReserved.end()) {
      // Twice the same comparison is more likely a mistake than a wish.
      MR_TRY(parameters.Single(pair.name));
      query.filters.push_back(ParseFilter(pair));
    }
  }
  MR_ASSIGN(const auto order, parameters.Single("order"));
  MR_ASSIGN(query.order, ParseOrder(order.value_or("")));
  MR_ASSIGN(const uint64_t limit, parameters.SingleNumber("limit", 100, 1, kLimitMax));
  query.limit = static_cast<uint32_t>(limit);
  MR_ASSIGN(const auto cursor, parameters.Single("cursor"));
  query.cursor = cursor.value_or("");
  MR_ASSIGN(const auto wait_for, parameters.Single("wait_for"));
  query.wait_for = wait_for.value_or("");
  MR_ASSIGN(const uint64_t timeout,
            parameters.SingleNumber("timeout_ms", 5'000, 0, kTimeoutMillisMax));
  query.timeout = std::chrono::milliseconds(timeout);
  return query;
}

}  // namespace

void AddViewRoutes(Router& router, QueryService& service) {
  router.Add(Method::kGet, "/api/v1/views", Access::kRead,
             [&service](RequestPtr, ResponderPtr responder) {
               service.ListViews(AnswerWithJson(std::move(responder)));
             });
  router.Add(Method::kGet, "/api/v1/views/{view}", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               auto query = ParseQuery(*request);
               if (!query) {
                 return responder->Fail(query.error());
               }
               service.QueryView(*std::move(query), AnswerWithJson(std::move(responder)));
             });
}

}  // namespace millrace::serve
