#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/base/result.h"
#include "millrace/cli/load_body.h"

namespace millrace {

/// One connection of a load generator: plain HTTP over TCP, nothing that costs processor time which
/// would be missing on the server's side.
class LoadConnection {
 public:
  /// `host`: an IPv4 address. kServerUnreachable.
  static Result<LoadConnection> Open(const std::string& host, uint16_t port);
  LoadConnection(LoadConnection&& other) noexcept;
  LoadConnection& operator=(LoadConnection&& other) noexcept;
  ~LoadConnection();

  Status Send(std::string_view bytes);
  /// What has come, at least one byte; valid until the next call.
  Result<std::string_view> Receive();
  /// Whether Receive would not wait, after at most so long.
  bool IsReadable(int timeout_ms) const;
  /// Sends a request and waits for the whole answer; another status than 200 is an error.
  Status Exchange(std::string_view head, std::string_view body);

 private:
  explicit LoadConnection(int fd) : fd_(fd), buffer_(64 << 10, '\0') {}

  int fd_ = -1;
  std::string buffer_;
};

/// What to send, where and how fast.
struct LoadPlan {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  std::string token;
  std::string stream;
  LoadRecordMaker make_record;
  bool distinct_keys = false;  ///< Each record has a key of its own,
  uint64_t first_key = 0;      ///< numbered from here on.
  int connections = 4;
  double seconds = 10;
  size_t body_bytes = 256 << 10;  ///< Of one request, as fast as it goes.
  int rate = 0;                   ///< Events per second; 0 = as fast as it goes.
  int request_records = 20;       ///< In one request at a fixed rate.
  /// The monotonic time that due times count from; none = when RunLoad is called.
  std::optional<std::chrono::nanoseconds> start;
};

struct LoadReport {
  uint64_t events = 0;
  uint64_t requests = 0;
  uint64_t bytes = 0;
  double seconds = 0;
  /// From when a request was due to its answer, ascending. At most about a million.
  std::vector<Micros> latencies;

  /// 0 <= q <= 1.
  Micros Latency(double q) const;
};

/// Sends records over all connections until the time is over. Blocks; threads of its own. The first
/// error of any connection ends it.
Result<LoadReport> RunLoad(const LoadPlan& plan, const Clock& clock);

}  // namespace millrace
