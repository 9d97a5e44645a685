#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/serve/request.h"
#include "millrace/serve/responder.h"

namespace millrace::serve {

/// Answers one kind of request. Called on a thread of the server, which it must not block: it
/// answers at once, or hands the responder to whoever will. May be called from several threads at a
/// time.
using Handler = std::function<void(RequestPtr, ResponderPtr)>;

/// Who may use a route.
enum class Access : uint8_t {
  kPublic,  ///< Anyone, without a token: liveness and readiness only.
  kRead,
  kWrite,
  kAdmin,
};

struct Route {
  Method method;
  std::string path;  ///< Such as "/api/v1/streams/{stream}/records"; also its name in metrics.
  Access access;
  Handler handler;
};

/// What a method and a path lead to.
struct RouteMatch {
  enum class Kind : uint8_t { kRoute, kNotFound, kMethodNotAllowed, kOptions };

  Kind kind = Kind::kNotFound;
  const Route* route = nullptr;
  std::vector<std::string> path_parameters;
  std::string allow;  ///< For the Allow header of kMethodNotAllowed and kOptions.
};

/// The table of routes. Filled before the server starts, then read by many threads. A segment of a
/// template is literal or one parameter; literals win over parameters. HEAD is served by GET.
class Router {
 public:
  /// Adding the same method and template twice is a bug of the caller.
  void Add(Method method, std::string path, Access access, Handler handler);

  RouteMatch Find(Method method, const std::vector<std::string>& segments) const;

  /// In order of their addition; indexes stay valid.
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> templates_;  ///< Segments of each route; "{}" = parameter.
};

}  // namespace millrace::serve
