#include "millrace/expr/time_zone.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <date/tz.h>
#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/calendar.h"

namespace millrace::internal {

namespace {

constexpr int64_t kSecondsPerDay = 86'400;

/// Abbreviations that PostgreSQL 15 takes for a fixed offset, in minutes.
constexpr std::pair<std::string_view, int> kAbbreviations[] = {
    {"acdt", 630},  {"acst", 570}, {"adt", -180}, {"aedt", 660}, {"aest", 600}, {"akdt", -480},
    {"akst", -540}, {"ast", -240}, {"awst", 480}, {"bst", 60},   {"cdt", -300}, {"cest", 120},
    {"cet", 60},    {"cst", -360}, {"eat", 180},  {"edt", -240}, {"eest", 180}, {"eet", 120},
    {"est", -300},  {"gmt", 0},    {"hkt", 480},  {"hst", -600}, {"ict", 420},  {"idt", 180},
    {"ist", 120},   {"jst", 540},  {"kst", 540},  {"mdt", -360}, {"mest", 120}, {"met", 60},
    {"msd", 240},   {"mst", -420}, {"ndt", -150}, {"nst", -210}, {"nzdt", 780}, {"nzst", 720},
    {"pdt", -420},  {"pht", 480},  {"pkt", 300},  {"pst", -480}, {"sast", 120}, {"uct", 0},
    {"ut", 0},      {"utc", 0},    {"wat", 60},   {"wet", 0},    {"z", 0},      {"zulu", 0},
};

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return ToLower(x) == ToLower(y); });
}

/// Null when the database has no such zone, or the machine no database.
const date::time_zone* Locate(std::string_view name) {
  try {
    const auto& zones = date::get_tzdb().zones;
    const auto found = std::ranges::find_if(
        zones, [&](const date::time_zone& zone) { return SameName(zone.name(), name); });
    return found == zones.end() ? nullptr : &*found;
  } catch (const std::exception&) {
    return nullptr;
  }
}

/// For times behind the end of the database's tables, which the library takes for times without
/// summer time: a time of a nearby year with the same calendar from or up to February, as so many
/// seconds before.
int64_t ShiftToTables(int64_t seconds) {
  const CivilDate date = CivilFromDays(static_cast<int32_t>(seconds / kSecondsPerDay));
  const uint32_t month = date.month <= 2 ? 1 : 3;
  const int32_t from = DaysFromCivil(date.year, month, 1);
  constexpr int32_t kFirst = 2025;
  constexpr int32_t kLast = 2035;
  for (int32_t year = kFirst; year <= kLast; ++year) {
    const int32_t to = DaysFromCivil(year, month, 1);
    if (year % 4 != 0 && DayOfWeek(to) == DayOfWeek(from)) {
      return int64_t{from - to} * kSecondsPerDay;
    }
  }
  return 0;
}

constexpr int64_t kTablesEnd = 2'114'380'800;  // 2037-01-01
constexpr int64_t kFarAway = 253'402'300'800;  // 10000-01-01

/// Whether a zone with summer time has only its last rule from here on.
bool IsBehindTables(const date::sys_info& info) {
  constexpr int64_t kRecent = 1'893'456'000;  // 2030-01-01
  const int64_t begin = info.begin.time_since_epoch().count();
  return info.end.time_since_epoch().count() > kFarAway && begin > kRecent &&
         begin < kTablesEnd + 366 * kSecondsPerDay;
}

date::sys_seconds At(int64_t utc) { return date::sys_seconds(std::chrono::seconds(utc)); }
date::local_seconds LocalAt(int64_t local) {
  return date::local_seconds(std::chrono::seconds(local));
}

std::optional<Micros> Shifted(Micros at, int64_t seconds) {
  const Micros result = at + seconds * kMicrosPerSecond;
  return result >= kTimestampMin && result <= kTimestampMax ? std::optional(result) : std::nullopt;
}

/// Whole seconds, downwards.
int64_t SecondsOf(Micros at) { return at / kMicrosPerSecond - (at % kMicrosPerSecond < 0 ? 1 : 0); }

}  // namespace

Result<TimeZone> TimeZone::Find(std::string_view name) {
  const auto abbreviation = std::ranges::find_if(
      kAbbreviations, [&](const auto& each) { return SameName(each.first, name); });
  if (abbreviation != std::end(kAbbreviations)) {
    return Fixed(abbreviation->second * 60);
  }
  TimeZone zone;
  zone.zone_ = Locate(SameName(name, "msk") ? "Europe/Moscow" : name);
  if (zone.zone_ == nullptr) {
    return Err(Error(ErrorCode::kInvalidCast, fmt::format("time zone not recognised: \"{}\"", name))
                   .WithHint("a name such as Europe/Berlin or UTC; an offset is an interval"));
  }
  return zone;
}

TimeZone TimeZone::Fixed(int64_t offset_seconds) {
  TimeZone zone;
  zone.offset_ = offset_seconds;
  return zone;
}

int64_t ZoneClock::OffsetAt(int64_t utc) {
  if (utc < begin_ || utc >= end_) {
    date::sys_info info = zone_.zone_->get_info(At(utc));
    if (utc >= kTablesEnd && IsBehindTables(info)) {
      return zone_.zone_->get_info(At(utc - ShiftToTables(utc))).offset.count();
    }
    begin_ = info.begin.time_since_epoch().count();
    end_ = std::min(info.end.time_since_epoch().count(), std::max(kTablesEnd, begin_));
    offset_ = info.offset.count();
  }
  return offset_;
}

int64_t ZoneClock::LocalOffset(int64_t local) {
  const int64_t utc = local - offset_;
  if (utc >= begin_ + kSecondsPerDay && utc < end_ - kSecondsPerDay) {
    return offset_;  // Far from any change, so without a doubt.
  }
  date::local_info info = zone_.zone_->get_info(LocalAt(local));
  if (local >= kTablesEnd && IsBehindTables(info.first)) {
    info = zone_.zone_->get_info(LocalAt(local - ShiftToTables(local)));
  } else {
    OffsetAt(local - info.first.offset.count());
  }
  return (info.result == date::local_info::ambiguous ? info.second : info.first).offset.count();
}

std::optional<Micros> ZoneClock::ToLocal(Micros utc) {
  return Shifted(utc, zone_.zone_ == nullptr ? zone_.offset_ : OffsetAt(SecondsOf(utc)));
}

std::optional<Micros> ZoneClock::ToUtc(Micros local) {
  return Shifted(local, -(zone_.zone_ == nullptr ? zone_.offset_ : LocalOffset(SecondsOf(local))));
}

}  // namespace millrace::internal
