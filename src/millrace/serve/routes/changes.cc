#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

Result<FeedRequest> ParseRequest(FeedKind kind, const Request& request) {
  MR_TRY(request.query.CheckNames({"from", "snapshot"}));
  MR_ASSIGN(const auto from, request.query.Single("from"));
  MR_ASSIGN(const bool with_snapshot, request.query.SingleFlag("snapshot"));
  // A browser that reconnects repeats the address and adds the header: the header is newer.
  const auto last = request.Header("last-event-id");
  FeedRequest feed{.kind = kind,
                   .name = request.path_parameters[0],
                   .from = std::string(last ? *last : from.value_or("")),
                   .with_snapshot = with_snapshot && !last};
  if (feed.with_snapshot && !feed.from.empty()) {
    return Err(ErrorCode::kHttpBadRequest, "snapshot=true and from exclude each other");
  }
  return feed;
}

void OpenFeed(ChangeFeedService& service, FeedKind kind, const Request& request,
              SharedResponder responder) {
  auto feed = ParseRequest(kind, request);
  if (!feed) {
    return responder->Fail(feed.error());
  }
  service.Open(*std::move(feed),
               [responder = std::move(responder)](Result<std::unique_ptr<EventSource>> source) {
                 if (!source) {
                   return responder->Fail(source.error());
                 }
                 responder->Stream(*std::move(source));
               });
}

}  // namespace

void AddChangeRoutes(Router& router, ChangeFeedService& service) {
  router.Add(Method::kGet, "/api/v1/streams/{stream}/changes", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               OpenFeed(service, FeedKind::kStream, *request, std::move(responder));
             });
  router.Add(Method::kGet, "/api/v1/views/{view}/changes", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               OpenFeed(service, FeedKind::kView, *request, std::move(responder));
             });
}

}  // namespace millrace::serve
