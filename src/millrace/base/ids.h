#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>

#include <fmt/format.h>

namespace millrace {

/// An integer that names one kind of thing and does not convert to another kind.
/// `Tag` is only a name; ids of one kind compare and hash by value.
template <typename Tag, typename Rep>
class StrongId {
 public:
  using rep = Rep;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  Rep value_ = 0;
};

/// A StrongId that counts: it has a next and differences are plain numbers.
template <typename Tag, typename Rep>
class StrongOrdinal {
 public:
  using rep = Rep;

  constexpr StrongOrdinal() = default;
  constexpr explicit StrongOrdinal(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr StrongOrdinal Next() const { return StrongOrdinal(static_cast<Rep>(value_ + 1)); }
  friend constexpr auto operator<=>(StrongOrdinal, StrongOrdinal) = default;
  friend constexpr StrongOrdinal operator+(StrongOrdinal a, Rep n) {
    return StrongOrdinal(static_cast<Rep>(a.value_ + n));
  }
  friend constexpr Rep operator-(StrongOrdinal a, StrongOrdinal b) {
    return static_cast<Rep>(a.value_ - b.value_);
  }

 private:
  Rep value_ = 0;
};

/// A stream within one data directory; given by the catalogue, never reused.
using StreamId = StrongId<struct StreamIdTag, uint32_t>;
/// A partition within one stream, from 0.
using PartitionId = StrongId<struct PartitionIdTag, uint32_t>;
/// The place of a record in its stream partition, from 0; the offset of a position is the next one.
using Offset = StrongOrdinal<struct OffsetTag, int64_t>;
/// A unit of state by key hash, from 0 (design section 1).
using StatePartition = StrongId<struct StatePartitionTag, uint32_t>;
/// An atomic step of one pipeline, from 1.
using EpochId = StrongOrdinal<struct EpochIdTag, uint64_t>;
/// A durable write of the embedded transport, from 1.
using RoundId = StrongOrdinal<struct RoundIdTag, uint64_t>;

/// Event time or wall-clock time in microseconds since 1970-01-01 00:00:00 UTC.
using Micros = int64_t;
/// "No event seen yet" for watermarks; before every valid timestamp.
inline constexpr Micros kMicrosMin = std::numeric_limits<Micros>::min();
/// "Input has ended" for watermarks; after every valid timestamp.
inline constexpr Micros kMicrosMax = std::numeric_limits<Micros>::max();

}  // namespace millrace

template <typename Tag, typename Rep>
struct std::hash<millrace::StrongId<Tag, Rep>> {
  size_t operator()(millrace::StrongId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};

template <typename Tag, typename Rep>
struct std::hash<millrace::StrongOrdinal<Tag, Rep>> {
  size_t operator()(millrace::StrongOrdinal<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};

template <typename Tag, typename Rep>
struct fmt::formatter<millrace::StrongId<Tag, Rep>> : fmt::formatter<Rep> {
  template <typename Context>
  auto format(millrace::StrongId<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value(), context);
  }
};

template <typename Tag, typename Rep>
struct fmt::formatter<millrace::StrongOrdinal<Tag, Rep>> : fmt::formatter<Rep> {
  template <typename Context>
  auto format(millrace::StrongOrdinal<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value(), context);
  }
};
