#include "millrace/serve/response_head.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

struct Reason {
  int status;
  std::string_view phrase;
};

constexpr auto kReasons = std::to_array<Reason>({
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
});

struct FixedHeader {
  std::string_view name;
  std::string_view value;
};

constexpr auto kSecurityHeaders = std::to_array<FixedHeader>({
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
});

/// IMF-fixdate, RFC 9110 section 5.6.7.
void AppendDate(std::string& head, Micros now) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(now)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  fmt::format_to(std::back_inserter(head), "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                 kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

bool HasLineBreak(const HttpHeader& header) {
  return header.name.find_first_of("\r\n") != std::string::npos ||
         header.value.find_first_of("\r\n") != std::string::npos;
}

}  // namespace

std::string_view ReasonOf(int status) {
  const auto* found = std::ranges::find(kReasons, status, &Reason::status);
  return found == kReasons.end() ? std::string_view() : found->phrase;
}

std::string RenderHead(const Response& response, const ResponseFraming& framing) {
  std::string head;
  head.reserve(512);
  const auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\n", response.status, ReasonOf(response.status));
  AppendDate(head, framing.now);
  const bool has_content = framing.content_length.value_or(1) > 0;
  if (has_content && !response.content_type.empty()) {
    fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
  }
  if (framing.content_length && response.status != 204 && response.status != 304) {
    fmt::format_to(out, "Content-Length: {}\r\n", *framing.content_length);
  }
  fmt::format_to(out, "Connection: {}\r\nX-Request-Id: {}\r\n",
                 framing.keeps_alive ? "keep-alive" : "close", framing.request_id);
  for (const FixedHeader& header : kSecurityHeaders) {
    if (std::ranges::find(response.headers, header.name, &HttpHeader::name) ==
        response.headers.end()) {
      fmt::format_to(out, "{}: {}\r\n", header.name, header.value);
    }
  }
  for (const HttpHeader& header : response.headers) {
    if (!HasLineBreak(header)) {
      fmt::format_to(out, "{}: {}\r\n", header.name, header.value);
    }
  }
  head += "\r\n";
  return head;
}

}  // namespace millrace::serve
