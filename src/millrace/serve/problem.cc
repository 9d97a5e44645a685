#include "millrace/serve/problem.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/base/utf8.h"
#include "millrace/data/json_text.h"
#include "millrace/serve/logger.h"

namespace millrace::serve {

namespace {

struct StatusRow {
  ErrorCode code;
  int status;
};

constexpr int kStatusOfFaults = 500;

constexpr auto kStatuses = std::to_array<StatusRow>({
    {ErrorCode::kSqlSyntax, 400},
    {ErrorCode::kSqlNotSupported, 400},
    {ErrorCode::kSqlTooLarge, 413},
    {ErrorCode::kSqlUnknownRelation, 404},
    {ErrorCode::kSqlUnknownColumn, 400},
    {ErrorCode::kSqlAmbiguousColumn, 400},
    {ErrorCode::kSqlUnknownFunction, 400},
    {ErrorCode::kSqlTypeMismatch, 400},
    {ErrorCode::kSqlDuplicateName, 400},
    {ErrorCode::kSqlInvalidLiteral, 400},
    {ErrorCode::kSqlGrouping, 400},
    {ErrorCode::kSqlInvalidWindow, 400},
    {ErrorCode::kSqlInvalidDefinition, 400},
    {ErrorCode::kSqlUnknownType, 400},
    {ErrorCode::kSqlInvalidJoin, 400},
    {ErrorCode::kDivisionByZero, 400},
    {ErrorCode::kNumericOutOfRange, 400},
    {ErrorCode::kInvalidCast, 400},
    {ErrorCode::kMemoryLimit, 503},
    {ErrorCode::kDatetimeOutOfRange, 400},
    {ErrorCode::kInvalidRegex, 400},
    {ErrorCode::kPipelineFailed, 503},
    {ErrorCode::kRecordSyntax, 400},
    {ErrorCode::kRecordMissingColumn, 400},
    {ErrorCode::kRecordTypeMismatch, 400},
    {ErrorCode::kRecordOutOfRange, 400},
    {ErrorCode::kRecordInvalidText, 400},
    {ErrorCode::kRecordTooDeep, 400},
    {ErrorCode::kRecordTooLarge, 413},
    {ErrorCode::kRecordUnknownField, 400},
    {ErrorCode::kRecordDuplicateKey, 400},
    {ErrorCode::kRecordInvalidTimestamp, 400},
    {ErrorCode::kRecordNoMatch, 400},
    {ErrorCode::kDecompressionFailed, 400},
    {ErrorCode::kStreamNotFound, 404},
    {ErrorCode::kPartitionNotFound, 404},
    {ErrorCode::kOffsetOutOfRange, 410},
    {ErrorCode::kCommitAborted, 503},
    {ErrorCode::kCommitFenced, 503},
    {ErrorCode::kCommitUnknown, 503},
    {ErrorCode::kTransportClosed, 503},
    {ErrorCode::kPositionNotReached, 504},
    {ErrorCode::kFrameTooLarge, 413},
    {ErrorCode::kTableFull, 507},
    {ErrorCode::kDiskFull, 507},
    {ErrorCode::kHttpBadRequest, 400},
    {ErrorCode::kHttpNotFound, 404},
    {ErrorCode::kHttpMethodNotAllowed, 405},
    {ErrorCode::kUnauthorized, 401},
    {ErrorCode::kForbidden, 403},
    {ErrorCode::kBodyTooLarge, 413},
    {ErrorCode::kUnsupportedMediaType, 415},
    {ErrorCode::kIdempotencyKeyReused, 422},
    {ErrorCode::kTooManyRequests, 429},
    {ErrorCode::kUnavailable, 503},
    {ErrorCode::kRequestTimeout, 408},
    {ErrorCode::kHeadersTooLarge, 431},
    {ErrorCode::kHostNotAllowed, 421},
    {ErrorCode::kQueryTimeout, 504},
    {ErrorCode::kQueryMemory, 422},
    {ErrorCode::kQueryRows, 422},
    {ErrorCode::kNotImplemented, 501},
});
static_assert(std::ranges::is_sorted(kStatuses, {}, &StatusRow::code));

void AppendMember(std::string& json, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(json), "\"{}\":", name);
  AppendJsonString(json, IsValidUtf8(value) ? value : "(not UTF-8)");
  json += ',';
}

std::string DetailOf(const Error& error, int status) {
  if (status == kStatusOfFaults || error.code() == ErrorCode::kDiskFull) {
    return std::string(Describe(error.code()).meaning);
  }
  return error.hint().empty() ? error.message()
                              : fmt::format("{} ({})", error.message(), error.hint());
}

}  // namespace

int HttpStatusOf(ErrorCode code) {
  const auto* row = std::ranges::lower_bound(kStatuses, code, {}, &StatusRow::code);
  return row != kStatuses.end() && row->code == code ? row->status : kStatusOfFaults;
}

Response ProblemResponse(const Error& error, std::string_view request_id) {
  const int status = HttpStatusOf(error.code());
  if (status == kStatusOfFaults) {
    MR_LOG_ERROR(kServeLog, kError, "a request has failed",
                 error.WithContext(fmt::format("request {}", request_id)));
  }
  std::string json = "{";
  AppendMember(json, "type", fmt::format("urn:millrace:error:{}", error.number()));
  AppendMember(json, "title", Describe(error.code()).meaning);
  fmt::format_to(std::back_inserter(json), "\"status\":{},", status);
  AppendMember(json, "detail", DetailOf(error, status));
  AppendMember(json, "code", fmt::format("MR{}", error.number()));
  AppendMember(json, "instance", request_id);
  json.back() = '}';
  Response response{.status = status,
                    .content_type = "application/problem+json",
                    .body = std::move(json),
                    .headers = {}};
  if (status == 401) {
    response.headers.push_back({.name = "WWW-Authenticate", .value = "Bearer"});
  }
  if (status == 429 || status == 503 || status == 507) {
    response.headers.push_back({.name = "Retry-After", .value = "1"});
  }
  return response;
}

}  // namespace millrace::serve
