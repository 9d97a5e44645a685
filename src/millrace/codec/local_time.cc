#include "millrace/codec/local_time.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <date/tz.h>
#include <fmt/format.h>

#include "millrace/data/types.h"

namespace millrace {

namespace {

/// Behind the years that rules are kept for, the last rule would be computed year by year.
constexpr Micros kLast = 4'102'444'800 * kMicrosPerSecond;  // 2100

}  // namespace

Result<LocalTime> LocalTime::Find(const std::string& name) {
  LocalTime time;
  if (name == "UTC") {
    return time;
  }
  try {
    time.zone_ = name == "local" ? date::current_zone() : date::locate_zone(name);
    return time;
  } catch (const std::exception&) {
    return std::unexpected(
        Error(ErrorCode::kConfigInvalidValue, fmt::format("unknown time zone '{}'", name))
            .WithHint("a name such as Europe/Berlin, UTC, or local for this machine's"));
  }
}

std::string LocalTime::name() const { return zone_ == nullptr ? "UTC" : zone_->name(); }

Micros LocalTime::ToUtc(Micros local) const {
  if (zone_ == nullptr) {
    return local;
  }
  const date::local_time<std::chrono::microseconds> at{std::chrono::microseconds(local)};
  const date::local_info info = zone_->get_info(date::floor<std::chrono::seconds>(
      local < kLast
          ? at
          : date::local_time<std::chrono::microseconds>(std::chrono::microseconds(kLast))));
  if (info.result == date::local_info::nonexistent) {
    return std::chrono::microseconds(info.first.end.time_since_epoch()).count();
  }
  return local - std::chrono::microseconds(info.first.offset).count();
}

LocalTime::Span LocalTime::SpanAround(Micros local) const {
  if (zone_ == nullptr) {
    return {.begin = kTimestampMin, .end = kTimestampMax + 1, .offset = 0};
  }
  const date::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(ToUtc(local))};
  if (local >= kLast) {
    return {};
  }
  const date::sys_info info = zone_->get_info(date::floor<std::chrono::seconds>(at));
  const auto micros = [](const auto& time) {
    return std::clamp<Micros>(time.time_since_epoch().count(), kTimestampMin / kMicrosPerSecond,
                              kLast / kMicrosPerSecond) *
           kMicrosPerSecond;
  };
  // A day at each end is left out: some local times there are no time of this span, or two.
  const Span span{.begin = micros(info.begin) + kMicrosPerDay,
                  .end = micros(info.end) - kMicrosPerDay,
                  .offset = std::chrono::microseconds(info.offset).count()};
  return local >= span.begin && local < span.end ? span : Span();
}

bool HasTimeZone(std::string_view timestamp) {
  constexpr size_t kDateBytes = 10;
  return timestamp.find_first_of("Zz+-Uu", kDateBytes) != std::string_view::npos;
}

}  // namespace millrace
