#include "millrace/codec/integer_block.h"

#include <algorithm>
#include <limits>

#include "millrace/codec/columnar_format.h"

namespace millrace::columnar {

namespace {

struct Range {
  int64_t minimum = 0;
  uint64_t span = 0;  ///< Maximum - minimum.
};

uint8_t WidthOf(uint64_t span) {
  if (span == 0) {
    return 0;
  }
  if (span <= std::numeric_limits<uint8_t>::max()) {
    return sizeof(uint8_t);
  }
  if (span <= std::numeric_limits<uint16_t>::max()) {
    return sizeof(uint16_t);
  }
  return span <= std::numeric_limits<uint32_t>::max() ? sizeof(uint32_t) : sizeof(uint64_t);
}

template <typename T>
Range RangeOf(std::span<const T> values) {
  T minimum = values.front();
  T maximum = values.front();
  for (const T value : values) {
    minimum = std::min(minimum, value);
    maximum = std::max(maximum, value);
  }
  return {
      .minimum = minimum,
      .span = static_cast<uint64_t>(int64_t{maximum}) - static_cast<uint64_t>(int64_t{minimum})};
}

/// The range of the differences of neighbours. `values` has at least two elements, and no
/// difference overflows because the values' own span is below 2^62.
template <typename T>
Range DifferenceRange(std::span<const T> values) {
  int64_t minimum = int64_t{values[1]} - int64_t{values[0]};
  int64_t maximum = minimum;
  for (size_t i = 1; i < values.size(); ++i) {
    const int64_t difference = int64_t{values[i]} - int64_t{values[i - 1]};
    minimum = std::min(minimum, difference);
    maximum = std::max(maximum, difference);
  }
  return {.minimum = minimum,
          .span = static_cast<uint64_t>(maximum) - static_cast<uint64_t>(minimum)};
}

template <typename Width, typename T>
void PutFrame(std::span<const T> values, int64_t base, std::byte* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    const auto distance =
        static_cast<Width>(static_cast<uint64_t>(int64_t{values[i]}) - static_cast<uint64_t>(base));
    std::memcpy(out + i * sizeof(Width), &distance, sizeof(Width));
  }
}

template <typename Width, typename T>
void PutDelta(std::span<const T> values, int64_t base, std::byte* out) {
  for (size_t i = 1; i < values.size(); ++i) {
    const auto distance = static_cast<Width>(int64_t{values[i]} - int64_t{values[i - 1]} - base);
    std::memcpy(out + (i - 1) * sizeof(Width), &distance, sizeof(Width));
  }
}

template <typename Width, typename T>
void GetFrame(const std::byte* in, int64_t base, std::span<T> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    Width distance;
    std::memcpy(&distance, in + i * sizeof(Width), sizeof(Width));
    out[i] = static_cast<T>(static_cast<uint64_t>(base) + distance);
  }
}

template <typename Width, typename T>
void GetDelta(const std::byte* in, int64_t base, int64_t first, std::span<T> out) {
  auto value = static_cast<uint64_t>(first);
  out[0] = static_cast<T>(value);
  for (size_t i = 1; i < out.size(); ++i) {
    Width distance;
    std::memcpy(&distance, in + (i - 1) * sizeof(Width), sizeof(Width));
    value += static_cast<uint64_t>(base) + distance;
    out[i] = static_cast<T>(value);
  }
}

/// Calls `body` with a value of the unsigned type of `width` bytes, which is 1, 2, 4 or 8.
template <typename Body>
void WithWidth(uint8_t width, Body body) {
  switch (width) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    default:
      return body(uint64_t{});
  }
}

std::byte* Grow(Bytes& out, size_t size) {
  const size_t at = out.size();
  out.resize(at + size);
  return out.data() + at;
}

}  // namespace

template <typename T>
void EncodeIntegers(std::span<const T> values, Bytes& out) {
  ByteWriter writer(out);
  const Range range = values.empty() ? Range{} : RangeOf(values);
  const uint8_t width = WidthOf(range.span);
  constexpr uint64_t kDeltaSpanMax = uint64_t{1} << 62;
  if (width > 1 && values.size() > 1 && range.span < kDeltaSpanMax) {
    const Range differences = DifferenceRange(values);
    const uint8_t delta_width = WidthOf(differences.span);
    if (delta_width < width) {
      writer.Put(IntegerKind::kDelta);
      writer.Put(delta_width);
      writer.Put(differences.minimum);
      writer.Put(int64_t{values.front()});
      std::byte* const at = Grow(out, (values.size() - 1) * delta_width);
      if (delta_width != 0) {
        WithWidth(delta_width,
                  [&]<typename Width>(Width) { PutDelta<Width>(values, differences.minimum, at); });
      }
      return;
    }
  }
  writer.Put(IntegerKind::kFrame);
  writer.Put(width);
  writer.Put(range.minimum);
  std::byte* const at = Grow(out, values.size() * width);
  if (width != 0) {
    WithWidth(width, [&]<typename Width>(Width) { PutFrame<Width>(values, range.minimum, at); });
  }
}

template <typename T>
Status DecodeIntegers(ByteReader& reader, std::span<T> out) {
  MR_ASSIGN(const auto kind, reader.Get<IntegerKind>());
  MR_ASSIGN(const auto width, reader.Get<uint8_t>());
  MR_ASSIGN(const auto base, reader.Get<int64_t>());
  if (width > sizeof(uint64_t) || (width & (width - 1)) != 0) {
    return Err(ErrorCode::kCorruption, fmt::format("integers of {} bytes", width));
  }
  if (kind == IntegerKind::kFrame) {
    MR_ASSIGN(const auto bytes, reader.GetBytes(out.size() * width));
    if (width == 0) {
      std::ranges::fill(out, static_cast<T>(base));
      return {};
    }
    WithWidth(width, [&]<typename Width>(Width) { GetFrame<Width>(bytes.data(), base, out); });
    return {};
  }
  if (kind != IntegerKind::kDelta || out.empty()) {
    return Err(ErrorCode::kCorruption, fmt::format("integers of kind {}", static_cast<int>(kind)));
  }
  MR_ASSIGN(const auto first, reader.Get<int64_t>());
  MR_ASSIGN(const auto bytes, reader.GetBytes((out.size() - 1) * width));
  if (width == 0) {
    auto value = static_cast<uint64_t>(first);
    for (T& element : out) {
      element = static_cast<T>(value);
      value += static_cast<uint64_t>(base);
    }
    return {};
  }
  WithWidth(width, [&]<typename Width>(Width) { GetDelta<Width>(bytes.data(), base, first, out); });
  return {};
}

template void EncodeIntegers<int16_t>(std::span<const int16_t>, Bytes&);
template void EncodeIntegers<int32_t>(std::span<const int32_t>, Bytes&);
template void EncodeIntegers<int64_t>(std::span<const int64_t>, Bytes&);
template Status DecodeIntegers<int16_t>(ByteReader&, std::span<int16_t>);
template Status DecodeIntegers<int32_t>(ByteReader&, std::span<int32_t>);
template Status DecodeIntegers<int64_t>(ByteReader&, std::span<int64_t>);

}  // namespace millrace::columnar
