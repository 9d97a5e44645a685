#include "millrace/cli/http_client.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

namespace millrace {

namespace {

constexpr size_t kBodyBytesMax = 64 << 20;
constexpr long kConnectTimeoutMs = 5'000;

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// The error in a problem document; nothing when it is none.
std::optional<Error> ReadProblem(std::string_view body) {
  boost::system::error_code failed;
  const boost::json::value json = boost::json::parse({body.data(), body.size()}, failed);
  const boost::json::object* problem = failed ? nullptr : json.if_object();
  if (problem == nullptr) {
    return std::nullopt;
  }
  const auto text = [&](std::string_view name) -> std::string_view {
    const boost::json::value* value = problem->if_contains({name.data(), name.size()});
    return value != nullptr && value->is_string()
               ? std::string_view(value->get_string().data(), value->get_string().size())
               : std::string_view();
  };
  std::string_view code = text("code");
  int number = 0;
  code.remove_prefix(std::min(code.find_first_of("0123456789"), code.size()));
  std::from_chars(code.data(), code.data() + code.size(), number);
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    if (static_cast<int>(info.code) == number) {
      return Error(info.code, std::string(text("detail")));
    }
  }
  return std::nullopt;
}

Error FailureOf(long status, std::string_view body) {
  std::optional<Error> problem = ReadProblem(body);
  Error error = problem ? *problem
                        : Error(ErrorCode::kServerUnreachable,
                                fmt::format("the server answered with status {}", status));
  return status == 401 ? error.WithHint("set MILLRACE_TOKEN or give --token") : error;
}

}  // namespace

struct HttpClient::Answer {
  CURL* handle = nullptr;
  /// Null: collect all into `body`.
  const std::function<bool(std::string_view)>* take = nullptr;
  std::string last_event_id;
  const std::string* json = nullptr;  ///< Of the request; null: it is a GET.
  std::string body;
  bool is_enough = false;

  bool HandsOver() const {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return take != nullptr && status / 100 == 2;
  }
  size_t HandOver(std::string_view bytes, size_t size) {
    is_enough = !(*take)(bytes);
    return is_enough ? 0 : size;
  }

  /// curl's CURLOPT_HEADERFUNCTION, with one line: anything but the size ends the transfer.
  static size_t TakeHeader(char* data, size_t, size_t size, void* user) {
    Answer& answer = *static_cast<Answer*>(user);
    const bool is_end = std::string_view(data, size) == "\r\n";
    return is_end && answer.HandsOver() ? answer.HandOver("", size) : size;
  }

  /// curl's CURLOPT_WRITEFUNCTION.
  static size_t Write(char* data, size_t, size_t size, void* user) {
    Answer& answer = *static_cast<Answer*>(user);
    if (answer.HandsOver()) {
      return answer.HandOver({data, size}, size);
    }
    if (answer.body.size() + size > kBodyBytesMax) {
      return 0;
    }
    answer.body.append(data, size);
    return size;
  }
};

HttpClient::HttpClient(ServerAddress server) : server_(std::move(server)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

HttpClient::~HttpClient() { curl_global_cleanup(); }

Status HttpClient::Perform(const std::string& path, Answer& answer) {
  const std::unique_ptr<CURL, EasyDeleter> handle(curl_easy_init());
  answer.handle = handle.get();
  std::unique_ptr<curl_slist, ListDeleter> headers;
  const auto add_header = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      const std::string line = fmt::format("{}: {}", name, value);
      headers.reset(curl_slist_append(headers.release(), line.c_str()));
    }
  };
  add_header("Authorization", server_.token.empty() ? "" : "Bearer " + server_.token);
  add_header("Last-Event-ID", answer.last_event_id);
  add_header("Content-Type", answer.json != nullptr ? "application/json" : "");
  const std::string url = server_.url + path;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_HEADERFUNCTION, &Answer::TakeHeader);
  curl_easy_setopt(handle.get(), CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &Answer::Write);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer);
  if (answer.json != nullptr) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(answer.json->size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, answer.json->data());
  }
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(handle.get(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  const CURLcode result = curl_easy_perform(handle.get());
  if (answer.is_enough) {
    return {};
  }
  if (result != CURLE_OK) {
    return Err(Error(ErrorCode::kServerUnreachable,
                     fmt::format("{}: {}", server_.url, curl_easy_strerror(result)))
                   .WithHint("is `millrace run` running there? --url says where to look"));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return status / 100 == 2 ? Status() : Err(FailureOf(status, answer.body));
}

Result<std::string> HttpClient::Get(const std::string& path) {
  Answer answer;
  MR_TRY(Perform(path, answer));
  return std::move(answer.body);
}

Result<std::string> HttpClient::PostJson(const std::string& path, const std::string& json) {
  Answer answer{.json = &json};
  MR_TRY(Perform(path, answer));
  return std::move(answer.body);
}

Status HttpClient::Stream(const std::string& path, const std::string& last_event_id,
                          const std::function<bool(std::string_view)>& take) {
  Answer answer{.take = &take, .last_event_id = last_event_id};
  MR_TRY(Perform(path, answer));
  return answer.is_enough ? Status()
                          : Err(ErrorCode::kServerUnreachable, "the server ended the connection");
}

std::string EncodePathSegment(std::string_view name) {
  std::string encoded;
  for (const char c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || std::string_view("-._~$").contains(c);
    if (is_plain) {
      encoded += c;
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace millrace
