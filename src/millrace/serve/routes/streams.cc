#include "millrace/serve/routes/json_answer.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

constexpr uint64_t kLimitMax = 10'000;

Result<RecordsQuery> ParseQuery(const Request& request) {
  MR_TRY(request.query.CheckNames({"from", "limit"}));
  MR_ASSIGN(const auto from, request.query.Single("from"));
  MR_ASSIGN(const uint64_t limit, request.query.SingleNumber("limit", 100, 1, kLimitMax));
  return RecordsQuery{.stream = request.path_parameters[0],
                      .from = std::string(from.value_or("")),
                      .limit = static_cast<uint32_t>(limit)};
}

}  // namespace

void AddStreamRoutes(Router& router, QueryService& service) {
  router.Add(Method::kGet, "/api/v1/streams", Access::kRead,
             [&service](RequestPtr, ResponderPtr responder) {
               service.ListStreams(AnswerWithJson(std::move(responder)));
             });
  router.Add(Method::kGet, "/api/v1/streams/{stream}", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               service.DescribeStream(std::move(request->path_parameters[0]),
                                      AnswerWithJson(std::move(responder)));
             });
  router.Add(Method::kGet, "/api/v1/streams/{stream}/records", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               auto query = ParseQuery(*request);
               if (!query) {
                 return responder->Fail(query.error());
               }
               service.ReadRecords(*std::move(query), AnswerWithJson(std::move(responder)));
             });
}

}  // namespace millrace::serve
