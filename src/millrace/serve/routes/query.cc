#include <boost/json.hpp>
#include <fmt/format.h>

#include "millrace/base/option_values.h"
#include "millrace/serve/routes/json_answer.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

/// The longest SQL text there can be, with every character escaped, and the other members.
constexpr size_t kBodyBytesMax = (size_t{6} << 20) + 65'536;
constexpr int64_t kLimitMax = 1'000'000'000;

std::unexpected<Error> Invalid(std::string message) {
  return Err(Error(ErrorCode::kHttpBadRequest, std::move(message))
                 .WithHint(R"(send {"sql": "SELECT ...", "wait_for": "0:12", "timeout": "10 s", )"
                           R"("limit": 100}; only sql is needed)"));
}

Result<std::string> TextOf(std::string_view name, const boost::json::value& value) {
  if (!value.is_string()) {
    return Invalid(fmt::format("{} must be a string", name));
  }
  return std::string(value.get_string().data(), value.get_string().size());
}

Status ReadMember(std::string_view name, const boost::json::value& value, SqlRequest& request) {
  if (name == "sql") {
    MR_ASSIGN(request.sql, TextOf(name, value));
  } else if (name == "wait_for") {
    MR_ASSIGN(request.wait_for, TextOf(name, value));
  } else if (name == "timeout") {
    MR_ASSIGN(const std::string text, TextOf(name, value));
    const auto timeout = ParseDuration(text);
    if (!timeout || timeout->count() <= 0) {
      return Invalid("timeout must be a duration such as \"10 s\"");
    }
    request.timeout = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  } else if (name == "limit") {
    const int64_t* limit = value.if_int64();
    if (limit == nullptr || *limit < 1 || *limit > kLimitMax) {
      return Invalid(fmt::format("limit must be a number from 1 to {}", kLimitMax));
    }
    request.limit = static_cast<uint64_t>(*limit);
  } else {
    return Invalid(fmt::format("there is no member {}", name));
  }
  return {};
}

Result<SqlRequest> Parse(const Request& request) {
  if (MediaTypeOf(request.Header("content-type").value_or("")) != "application/json") {
    return Err(ErrorCode::kUnsupportedMediaType, "Content-Type must be application/json");
  }
  MR_TRY(request.query.CheckNames({}));
  const std::string_view body = request.body.text();
  if (body.size() > kBodyBytesMax) {
    return Err(ErrorCode::kBodyTooLarge,
               fmt::format("the body of a query has at most {} bytes", kBodyBytesMax));
  }
  boost::system::error_code failed;
  const auto json = boost::json::parse({body.data(), body.size()}, failed);
  const boost::json::object* object = failed ? nullptr : json.if_object();
  if (object == nullptr) {
    return Invalid("the body is not a JSON object");
  }
  SqlRequest parsed;
  for (const auto& [name, value] : *object) {
    MR_TRY(ReadMember({name.data(), name.size()}, value, parsed));
  }
  if (!object->contains("sql")) {
    return Invalid("there is no member sql");
  }
  return parsed;
}

}  // namespace

void AddQueryRoutes(Router& router, SqlService& service) {
  router.Add(Method::kPost, "/api/v1/query", Access::kRead,
             [&service](RequestPtr request, ResponderPtr responder) {
               auto query = Parse(*request);
               if (!query) {
                 return responder->Fail(query.error());
               }
               query->abandoned = responder->WatchClient();
               service.Query(*std::move(query), AnswerWithJson(std::move(responder)));
             });
}

}  // namespace millrace::serve
