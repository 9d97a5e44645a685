#pragma once

#include "millrace/serve/query_service.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

/// A callback that sends the document it gets, or the problem.
inline QueryService::Done AnswerWithJson(SharedResponder responder) {
  return [responder = std::move(responder)](Result<std::string> json) {
    if (!json) {
      return responder->Fail(json.error());
    }
    responder->Send({.body = *std::move(json), .headers = {}});
  };
}

}  // namespace millrace::serve
