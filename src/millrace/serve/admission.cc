#include "millrace/serve/admission.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

std::unexpected<Refusal> Refuse(Error error, Rejection reason, std::string allow = "") {
  return std::unexpected(
      Refusal{.error = std::move(error), .reason = reason, .allow = std::move(allow)});
}

std::unexpected<Refusal> Refuse(ErrorCode code, Rejection reason, std::string message,
                                std::string allow = "") {
  return Refuse(Error(code, std::move(message)), reason, std::move(allow));
}

/// The parts of a request target in origin form or absolute form.
struct Target {
  std::string_view authority;  ///< Empty in origin form.
  std::string_view path;
  std::string_view query;
};

Target SplitTarget(std::string_view text) {
  Target target;
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with(kScheme)) {
    text.remove_prefix(kScheme.size());
    target.authority = text.substr(0, text.find_first_of("/?"));
    text.remove_prefix(target.authority.size());
    if (text.empty()) {
      text = "/";
    }
  }
  target.path = text.substr(0, text.find('?'));
  if (target.path.size() < text.size()) {
    target.query = text.substr(target.path.size() + 1);
  }
  return target;
}

bool IsWriting(Method method) {
  return method != Method::kGet && method != Method::kHead && method != Method::kOptions;
}

/// A browser names the page's origin in every writing request; ours is the only one that may write.
bool IsForeignOrigin(const Request& request, std::string_view host) {
  const auto origin = request.Header("origin");
  if (!origin || !IsWriting(request.method)) {
    return false;
  }
  const size_t scheme_end = origin->find("://");
  return scheme_end == std::string_view::npos || origin->substr(scheme_end + 3) != host;
}

bool Allows(const Scopes& scopes, Access access) {
  switch (access) {
    case Access::kPublic:
      return true;
    case Access::kRead:
      return scopes.read;
    case Access::kWrite:
      return scopes.write;
    case Access::kAdmin:
      return scopes.admin;
  }
  return false;
}

std::string_view NameOf(Access access) {
  return access == Access::kRead ? "read" : access == Access::kWrite ? "write" : "admin";
}

std::expected<void, Refusal> CheckBody(const ConnectionContext& context, const RequestHead& head,
                                       Admission& admission) {
  const uint64_t bytes_max = context.options.body.wire_bytes_max;
  if (head.content_length.value_or(0) > bytes_max) {
    return Refuse(ErrorCode::kBodyTooLarge, Rejection::kBody,
                  fmt::format("the limit is {} bytes", bytes_max));
  }
  if (head.has_body() && !IsWriting(admission.request->method)) {
    return Refuse(ErrorCode::kHttpBadRequest, Rejection::kBody, "this method takes no body");
  }
  const auto encoding = admission.request->Header("content-encoding");
  admission.is_gzip = encoding == "gzip" || encoding == "x-gzip";
  if (encoding && !admission.is_gzip && encoding != "identity") {
    return Refuse(ErrorCode::kUnsupportedMediaType, Rejection::kBody,
                  "Content-Encoding must be gzip or identity");
  }
  return {};
}

std::expected<void, Refusal> CheckRoute(const ConnectionContext& context, const RouteMatch& match,
                                        Request& request) {
  const bool is_route = match.kind == RouteMatch::Kind::kRoute;
  if (!is_route || match.route->access != Access::kPublic) {
    auto principal = context.authenticator.Authenticate(request.Header("authorization"));
    if (!principal) {
      return Refuse(std::move(principal).error(), Rejection::kAuth);
    }
    request.principal = *std::move(principal);
  }
  if (match.kind == RouteMatch::Kind::kNotFound) {
    return Refuse(ErrorCode::kHttpNotFound, Rejection::kNotFound, "no route has this path");
  }
  if (match.kind == RouteMatch::Kind::kMethodNotAllowed) {
    return Refuse(ErrorCode::kHttpMethodNotAllowed, Rejection::kNotFound,
                  fmt::format("allowed are {}", match.allow), match.allow);
  }
  if (is_route && !Allows(request.principal.scopes, match.route->access)) {
    return Refuse(ErrorCode::kForbidden, Rejection::kAuth,
                  fmt::format("the token lacks the scope {}", NameOf(match.route->access)));
  }
  return {};
}

}  // namespace

std::expected<Admission, Refusal> Admit(const ConnectionContext& context, RequestHead& head,
                                        std::string request_id) {
  Admission admission{.request = std::make_unique<Request>()};
  Request& request = *admission.request;
  request.id = std::move(request_id);
  request.method = head.method;
  request.headers = std::move(head.headers);

  const Target target = SplitTarget(head.target);
  const std::string_view host =
      target.authority.empty() ? request.Header("host").value_or("") : target.authority;
  if (!context.host_policy.Allows(host) && !(host.empty() && head.is_http_1_0)) {
    return Refuse(ErrorCode::kHostNotAllowed, Rejection::kHost,
                  "the server is not addressed by this name; see host_names");
  }
  if (head.method == Method::kOptions && target.path == "*") {
    admission.allow = "GET, HEAD, POST, OPTIONS";
    return admission;
  }
  request.path = target.path;
  auto segments = SplitUrlPath(target.path);
  if (!segments) {
    return Refuse(std::move(segments).error(), Rejection::kHead);
  }
  auto query = QueryParameters::Parse(target.query);
  if (!query) {
    return Refuse(std::move(query).error(), Rejection::kHead);
  }
  request.query = *std::move(query);
  RouteMatch match = context.router.Find(head.method, *segments);
  if (auto checked = CheckRoute(context, match, request); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (IsForeignOrigin(request, host)) {
    return Refuse(ErrorCode::kForbidden, Rejection::kAuth, "the Origin is of another site");
  }
  if (auto checked = CheckBody(context, head, admission); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  admission.route = match.route;
  admission.allow = std::move(match.allow);
  request.path_parameters = std::move(match.path_parameters);
  return admission;
}

}  // namespace millrace::serve
