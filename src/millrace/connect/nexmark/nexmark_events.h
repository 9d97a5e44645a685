#pragma once

#include <algorithm>
#include <cstdint>

#include "millrace/base/ids.h"
#include "millrace/connect/generate/draws.h"
#include "millrace/connect/nexmark/nexmark_options.h"

namespace millrace::nexmark {

// The rules of the Nexmark generator of nexmark-flink (https://github.com/nexmark/nexmark, package
// com.github.nexmark.flink.generator; from Apache Beam). Its random numbers have no seed; here each
// draw of an event follows from the seed, the event and what it is for, so that any field of any
// event can be made alone.

enum class Kind : uint8_t { kPerson = 0, kAuction = 1, kBid = 2 };

/// Persons, auctions and bids among kCycle events, in this order.
inline constexpr uint64_t kCycle = 50;
inline constexpr uint64_t kPersons = 1;
inline constexpr uint64_t kAuctions = 3;

inline constexpr int64_t kFirstId = 1000;  ///< Of persons and auctions.
inline constexpr int64_t kFirstCategory = 10;
inline constexpr uint64_t kCategories = 5;
inline constexpr int64_t kHotGroup = 100;  ///< One in so many persons and auctions is hot.
inline constexpr int64_t kIdLead = 10;     ///< Ids not yet created that are named all the same.
inline constexpr int64_t kPeopleActive = 1000;
inline constexpr int64_t kAuctionsInFlight = 100;

/// What draws are for; texts take a run of them.
enum Use : uint64_t {
  kDrawHotAuction = 0,
  kDrawAuction = 1,
  kDrawHotBidder = 2,
  kDrawBidder = 3,
  kDrawHotSeller = 4,
  kDrawSeller = 5,
  kDrawPrice = 6,
  kDrawReserve = 7,
  kDrawHotChannel = 8,
  kDrawChannel = 9,
  kDrawCategory = 10,
  kDrawExpires = 11,
  kDrawFirstName = 12,
  kDrawLastName = 13,
  kDrawCreditCard = 14,  ///< To 17.
  kDrawCity = 18,
  kDrawState = 19,
  kDrawExtraSize = 20,
  kDrawExtra = 1024,
  kDrawItemName = 2048,
  kDrawDescription = 2304,
  kDrawMailbox = 2560,
  kDrawMailHost = 2624,
};

/// Which event a row is, and what follows from its number alone.
class Events {
 public:
  explicit Events(const NexmarkOptions& options)
      : group_(options.out_of_order_group),
        micros_between_(1e6 / static_cast<double>(options.event_rate)),
        base_millis_(options.base_micros() / 1000) {}

  /// The event of row `row`: events of a group come in mixed order.
  uint64_t EventOf(uint64_t row) const {
    constexpr uint64_t kStride = 953;
    return row / group_ * group_ + row * kStride % group_;
  }
  /// The first event that may still come when row `row` is next.
  uint64_t EarliestEventFrom(uint64_t row) const { return row / group_ * group_; }

  static Kind KindOf(uint64_t event) {
    const uint64_t place = event % kCycle;
    return place < kPersons               ? Kind::kPerson
           : place < kPersons + kAuctions ? Kind::kAuction
                                          : Kind::kBid;
  }

  int64_t MillisOf(uint64_t event) const {
    return base_millis_ + static_cast<int64_t>(static_cast<double>(event) * micros_between_) / 1000;
  }
  Micros TimeOf(uint64_t event) const { return MillisOf(event) * 1000; }

  /// Numbers from 0 of the last person and auction at an event: its own when it is one.
  static int64_t LastPerson(uint64_t event) { return static_cast<int64_t>(event / kCycle); }
  static int64_t LastAuction(uint64_t event) {
    const auto cycle = static_cast<int64_t>(event / kCycle);
    const auto place = static_cast<int64_t>(event % kCycle);
    constexpr auto kPerCycle = static_cast<int64_t>(kAuctions);
    return cycle * kPerCycle +
           std::clamp<int64_t>(place - static_cast<int64_t>(kPersons), -1, kPerCycle - 1);
  }

  /// An active person, or one soon to come; from 0.
  static int64_t AnyPerson(uint64_t event, const Draws& draws, Use use) {
    const int64_t people = LastPerson(event) + 1;
    const int64_t active = std::min(people, kPeopleActive);
    return people - active + draws.Below(use, active + kIdLead);
  }
  /// An auction that may still run, or one soon to come; from 0.
  static int64_t AnyAuction(uint64_t event, const Draws& draws, Use use) {
    const int64_t last = LastAuction(event);
    const int64_t first = std::max<int64_t>(last - kAuctionsInFlight, 0);
    return first + draws.Below(use, last - first + 1 + kIdLead);
  }

 private:
  const uint64_t group_;
  const double micros_between_;
  const int64_t base_millis_;
};

}  // namespace millrace::nexmark
