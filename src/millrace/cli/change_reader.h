#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/cli/http_client.h"

namespace millrace {

/// Reads the change stream of a view of a server, from its begin to where it ends now. One thread.
class ChangeReader {
 public:
  /// `client` outlives it. kSqlUnknownRelation, kServerUnreachable.
  static Result<ChangeReader> Open(HttpClient& client, const std::string& view);
  ChangeReader(ChangeReader&&) noexcept;
  ~ChangeReader();

  /// `visit` gets each row as a JSON object, the columns in the view's order, timestamps as
  /// 'yyyy-MM-dd HH:mm:ss.fff', and its weight: how often the row was added, negative when it was
  /// taken back. Call it again to read everything again.
  Status Read(const std::function<Status(std::string_view row, int64_t weight)>& visit);

 private:
  struct Columns;
  ChangeReader(HttpClient& client, std::string path, std::unique_ptr<Columns> columns);

  HttpClient& client_;
  std::string path_;
  std::unique_ptr<Columns> columns_;
};

}  // namespace millrace
