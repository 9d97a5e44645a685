#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

constexpr std::string_view kOk = "{\"status\":\"ok\"}";
constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

void AddStatusRoutes(Router& router, StatusService& service) {
  // That the event loop answers is all there is to say about its life.
  router.Add(Method::kGet, "/livez", Access::kPublic, [](RequestPtr, ResponderPtr responder) {
    responder->Send({.body = std::string(kOk), .headers = {}});
  });
  router.Add(Method::kGet, "/readyz", Access::kPublic,
             [&service](RequestPtr, ResponderPtr responder) {
               if (!service.Ready()) {
                 // Why is for those who may read /api/v1/health.
                 return responder->Fail(Error(ErrorCode::kUnavailable, "not ready"));
               }
               responder->Send({.body = std::string(kOk), .headers = {}});
             });
  router.Add(Method::kGet, "/api/v1/health", Access::kRead,
             [&service](RequestPtr, ResponderPtr responder) {
               HealthReport report = service.Health();
               responder->Send({.status = report.is_healthy ? 200 : 503,
                                .body = std::move(report.json),
                                .headers = {}});
             });
  const auto metrics = [&service](RequestPtr, ResponderPtr responder) {
    responder->Send(
        {.content_type = std::string(kMetricsType), .body = service.Metrics(), .headers = {}});
  };
  router.Add(Method::kGet, "/metrics", Access::kRead, metrics);
  router.Add(Method::kGet, "/api/v1/metrics", Access::kRead, metrics);
}

}  // namespace millrace::serve
