#include "millrace/serve/routes/json_answer.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

void AddReplayRoutes(Router& router, ReplayService& service) {
  router.Add(Method::kPost, "/api/v1/streams/{stream}/replay", Access::kWrite,
             [&service](RequestPtr request, ResponderPtr responder) {
               if (const auto known = request->query.CheckNames({}); !known) {
                 return responder->Fail(known.error());
               }
               service.Replay(request->path_parameters[0], AnswerWithJson(std::move(responder)));
             });
}

}  // namespace millrace::serve
