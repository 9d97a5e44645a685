#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "millrace/base/utf8.h"
#include "millrace/data/json_text.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {

namespace {

constexpr size_t kKeyBytesMax = 255;

Result<BodyFormat> FormatOf(const Request& request) {
  const std::string type = MediaTypeOf(request.Header("content-type").value_or(""));
  if (type == "application/json") {
    return BodyFormat::kJson;
  }
  if (type == "application/x-ndjson" || type == "application/ndjson" ||
      type == "application/jsonl") {
    return BodyFormat::kNdjson;
  }
  return Err(ErrorCode::kUnsupportedMediaType,
             "Content-Type must be application/json or application/x-ndjson");
}

Result<std::optional<std::string>> KeyOf(const Request& request) {
  constexpr std::string_view kName = "idempotency-key";
  const auto count = std::ranges::count(request.headers, kName, &HttpHeader::name);
  if (count == 0) {
    return std::nullopt;
  }
  const std::string_view key = *request.Header(kName);
  const bool is_visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; });
  if (count > 1 || key.empty() || key.size() > kKeyBytesMax || !is_visible) {
    return Err(ErrorCode::kHttpBadRequest,
               fmt::format("Idempotency-Key must be 1 to {} visible ASCII characters, once",
                           kKeyBytesMax));
  }
  return std::string(key);
}

std::string RenderAnswer(const IngestAnswer& answer) {
  std::string json = fmt::format("{{\"accepted\":{},\"rejected\":{},\"errors\":[", answer.accepted,
                                 answer.errors_count);
  const auto out = std::back_inserter(json);
  const size_t shown = std::min(answer.errors.size(), IngestAnswer::kErrorsMax);
  for (size_t i = 0; i < shown; ++i) {
    const RecordError& error = answer.errors[i];
    fmt::format_to(out, "{}{{\"index\":{},\"code\":\"MR{}\",\"message\":", i == 0 ? "" : ",",
                   error.index, static_cast<int>(error.code));
    AppendJsonString(json, IsValidUtf8(error.message) ? error.message : "(not UTF-8)");
    json += '}';
  }
  json += "],\"positions\":{";
  for (size_t i = 0; i < answer.positions.size(); ++i) {
    fmt::format_to(out, "{}\"{}\":{}", i == 0 ? "" : ",", answer.positions[i].partition,
                   answer.positions[i].next);
  }
  json += "},\"position\":";
  AppendJsonString(json, answer.position);
  json += '}';
  return json;
}

void Ingest(IngestService& service, Request& request, const SharedResponder& responder) {
  const auto format = FormatOf(request);
  if (!format) {
    return responder->Fail(format.error());
  }
  auto key = KeyOf(request);
  if (!key) {
    return responder->Fail(key.error());
  }
  if (const auto known = request.query.CheckNames({}); !known) {
    return responder->Fail(known.error());
  }
  service.Submit({.stream = request.path_parameters[0],
                  .body = std::move(request.body),
                  .format = *format,
                  .idempotency_key = *std::move(key),
                  .token = request.principal.name},
                 [responder](Result<IngestAnswer> answer) {
                   if (!answer) {
                     return responder->Fail(answer.error());
                   }
                   responder->Send({.body = RenderAnswer(*answer), .headers = {}});
                 });
}

}  // namespace

void AddIngestRoutes(Router& router, IngestService& service) {
  router.Add(Method::kPost, "/api/v1/streams/{stream}/records", Access::kWrite,
             [&service](RequestPtr request, ResponderPtr responder) {
               Ingest(service, *request, std::move(responder));
             });
}

}  // namespace millrace::serve
