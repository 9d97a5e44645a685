#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/base/result.h"

namespace millrace {

/// Where a running server is and how to be let in.
struct ServerAddress {
  std::string url;    ///< "http://127.0.0.1:8080", without a slash at its end.
  std::string token;  ///< Empty = none.
};

/// Asks a server's REST API and waits for the answers. One thread.
class HttpClient {
 public:
  explicit HttpClient(ServerAddress server);
  ~HttpClient();

  /// Returns the body of a 2xx answer, at most 64 MiB. Another status is the error that its problem
  /// document names; kServerUnreachable when there is no answer.
  Result<std::string> Get(const std::string& path);

  /// As Get, of a request with a JSON body.
  Result<std::string> PostJson(const std::string& path, const std::string& json);

  /// Hands over an endless answer piece by piece, an empty one when it begins, until `take` returns
  /// false; then succeeds. Errors as above, kServerUnreachable also when the connection ends.
  /// `last_event_id`: where the last answer ended, empty = nowhere.
  Status Stream(const std::string& path, const std::string& last_event_id,
                const std::function<bool(std::string_view)>& take);

 private:
  struct Answer;

  Status Perform(const std::string& path, Answer& answer);

  const ServerAddress server_;
};

/// A name as a segment of a path: everything but letters, digits, "-", ".", "_", "~" and "$" as
/// %XX.
std::string EncodePathSegment(std::string_view name);

}  // namespace millrace
