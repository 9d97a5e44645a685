#include "millrace/serve/router.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/check.h"

namespace millrace::serve {

namespace {

constexpr std::string_view kParameter = "{}";

std::vector<std::string> SplitTemplate(std::string_view path) {
  std::vector<std::string> segments;
  MR_CHECK(path.starts_with('/'), "route {}", path);
  while (path.size() > 1) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    segments.emplace_back(segment.starts_with('{') ? kParameter : segment);
    path.remove_prefix(end);
  }
  return segments;
}

bool Matches(const std::vector<std::string>& path_template,
             const std::vector<std::string>& segments) {
  return std::ranges::equal(path_template, segments, [](const auto& wanted, const auto& segment) {
    return wanted == kParameter ? !segment.empty() : wanted == segment;
  });
}

/// Smaller is more specific: a parameter counts more the further left it stands.
bool IsMoreSpecific(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::lexicographical_compare(
      a, b, {}, [](const auto& segment) { return segment == kParameter; },
      [](const auto& segment) { return segment == kParameter; });
}

}  // namespace

void Router::Add(Method method, std::string path, Access access, Handler handler) {
  auto segments = SplitTemplate(path);
  for (size_t i = 0; i < routes_.size(); ++i) {
    MR_CHECK(routes_[i].method != method || templates_[i] != segments, "route {} twice", path);
  }
  templates_.push_back(std::move(segments));
  routes_.push_back(
      {.method = method, .path = std::move(path), .access = access, .handler = std::move(handler)});
}

RouteMatch Router::Find(Method method, const std::vector<std::string>& segments) const {
  const std::vector<std::string>* best = nullptr;
  for (const auto& path_template : templates_) {
    if (Matches(path_template, segments) &&
        (best == nullptr || IsMoreSpecific(path_template, *best))) {
      best = &path_template;
    }
  }
  RouteMatch match;
  if (best == nullptr) {
    return match;
  }
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (templates_[i] != *best) {
      continue;
    }
    if (routes_[i].method == wanted) {
      match.kind = RouteMatch::Kind::kRoute;
      match.route = &routes_[i];
    }
    match.allow += fmt::format("{}, ", NameOf(routes_[i].method));
    if (routes_[i].method == Method::kGet) {
      match.allow += "HEAD, ";
    }
  }
  match.allow += "OPTIONS";
  if (match.kind != RouteMatch::Kind::kRoute) {
    match.kind = method == Method::kOptions ? RouteMatch::Kind::kOptions
                                            : RouteMatch::Kind::kMethodNotAllowed;
    return match;
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    if ((*best)[i] == kParameter) {
      match.path_parameters.push_back(segments[i]);
    }
  }
  return match;
}

}  // namespace millrace::serve
