#include "millrace/connect/datagen/column_maker.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/checksum.h"
#include "millrace/base/option_values.h"
#include "millrace/connect/datagen/zipf.h"
#include "millrace/connect/generate/draws.h"
#include "millrace/data/column_builder.h"
#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {

namespace {

/// What the draws of a column are for.
enum Use : uint64_t {
  kDrawNull = 0,
  kDrawLength = 1,
  kDrawValue = 2,  ///< And all behind it.
};

/// A column whose values `append(builder, draws, row)` appends.
template <typename Append>
ColumnMaker PerRow(const Field& field, uint64_t seed, double null_share, Append append) {
  return [type = field.type, seed, null_share, append = std::move(append)](uint64_t first,
                                                                           size_t count) mutable {
    ColumnBuilder builder(type);
    builder.Reserve(count);
    for (uint64_t row = first; row < first + count; ++row) {
      const Draws draws(seed, row);
      if (null_share > 0 && draws.Unit(kDrawNull) < null_share) {
        builder.AppendNull();
      } else {
        append(builder, draws, row);
      }
    }
    return builder.Finish();
  };
}

int64_t Largest(const DataType& type) {
  switch (type.id) {
    case TypeId::kInt16:
      return std::numeric_limits<int16_t>::max();
    case TypeId::kInt32:
      return std::numeric_limits<int32_t>::max();
    default:
      return std::numeric_limits<int64_t>::max();
  }
}

DatagenKind DefaultKind(const DataType& type) {
  switch (type.id) {
    case TypeId::kText:
      return DatagenKind::kText;
    case TypeId::kTimestamptz:
    case TypeId::kDate:
      return DatagenKind::kTime;
    case TypeId::kBytea:
    case TypeId::kInterval:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return DatagenKind::kChoice;
    default:
      return DatagenKind::kUniform;
  }
}

/// Chooses one maker; keeps which option is to blame.
class MakerChoice {
 public:
  MakerChoice(const Field& field, const DatagenColumnOptions& options, uint64_t seed,
              std::string& option)
      : field_(field),
        options_(options),
        seed_(MixBits(seed ^ Xxh3(field.name))),
        option_(option) {}

  Result<ColumnMaker> Make(const RowTimes& times) {
    const DatagenKind kind = options_.kind.value_or(DefaultKind(field_.type));
    MR_TRY(CheckOptions(kind));
    switch (kind) {
      case DatagenKind::kSequence:
        return Sequence();
      case DatagenKind::kUniform:
        return Uniform();
      case DatagenKind::kZipf:
        return ZipfNumbers();
      case DatagenKind::kChoice:
        return Choice();
      case DatagenKind::kText:
        return Text();
      case DatagenKind::kTime:
        return Time(times);
    }
    return Err(ErrorCode::kInternal, "kind");
  }

 private:
  std::unexpected<Error> Refuse(std::string option, const std::string& message) {
    option_ = std::move(option);
    return Err(ErrorCode::kConfigInvalidValue, message);
  }

  std::unexpected<Error> RefuseType(std::string_view kind) {
    option_ = "kind";
    return Err(ErrorCode::kSqlTypeMismatch,
               fmt::format("{} does not make values of type {}", kind, field_.type.ToString()));
  }

  /// Options that belong to another kind.
  Status CheckOptions(DatagenKind kind) {
    using Kind = DatagenKind;
    const std::tuple<const char*, bool, std::vector<Kind>> given[] = {
        {"start", options_.start.has_value(), {Kind::kSequence}},
        {"step", options_.step.has_value(), {Kind::kSequence}},
        {"min", options_.min.has_value(), {Kind::kUniform}},
        {"max", options_.max.has_value(), {Kind::kUniform, Kind::kSequence}},
        {"count", options_.count.has_value(), {Kind::kZipf}},
        {"exponent", options_.exponent.has_value(), {Kind::kZipf}},
        {"prefix", !options_.prefix.empty(), {Kind::kSequence, Kind::kUniform, Kind::kZipf}},
        {"values", !options_.values.empty(), {Kind::kChoice}},
        {"weights", !options_.weights.empty(), {Kind::kChoice}},
        {"length_min", options_.length_min.has_value(), {Kind::kText}},
        {"length_max", options_.length_max.has_value(), {Kind::kText}},
    };
    for (const auto& [name, is_given, kinds] : given) {
      if (is_given && std::ranges::find(kinds, kind) == kinds.end()) {
        return Refuse(name, fmt::format("{}.{} is for columns of another kind", field_.name, name));
      }
    }
    if (!options_.prefix.empty() && field_.type.id != TypeId::kText) {
      return Refuse("prefix", fmt::format("{}.prefix is for text", field_.name));
    }
    if (options_.null_share > 0 && !field_.nullable) {
      return Refuse("null_share", fmt::format("{} is NOT NULL", field_.name));
    }
    return {};
  }

  /// A column of whole numbers, `number(draws, row)` each, in the column's type.
  template <typename Number>
  Result<ColumnMaker> Numbers(std::string_view kind, Number number) {
    const auto make = [&](auto append) {
      return PerRow(
          field_, seed_, options_.null_share,
          [number, append](ColumnBuilder& builder, const Draws& draws, uint64_t row) mutable {
            append(builder, number(draws, row));
          });
    };
    switch (field_.type.id) {
      case TypeId::kInt16:
        return make([](auto& builder, int64_t n) { builder.AppendFixed(static_cast<int16_t>(n)); });
      case TypeId::kInt32:
        return make([](auto& builder, int64_t n) { builder.AppendFixed(static_cast<int32_t>(n)); });
      case TypeId::kInt64:
        return make([](auto& builder, int64_t n) { builder.AppendFixed(n); });
      case TypeId::kFloat32:
        return make([](auto& builder, int64_t n) { builder.AppendFixed(static_cast<float>(n)); });
      case TypeId::kFloat64:
        return make([](auto& builder, int64_t n) { builder.AppendFixed(static_cast<double>(n)); });
      case TypeId::kNumeric:
        return make([unit = PowerOfTen(field_.type.scale)](auto& builder, int64_t n) {
          builder.AppendFixed(Int128{n} * unit);
        });
      case TypeId::kText:
        return make([text = options_.prefix](auto& builder, int64_t n) mutable {
          const size_t prefix = text.size();
          AppendInteger(text, n);
          builder.AppendText(text);
          text.resize(prefix);
        });
      default:
        return RefuseType(kind);
    }
  }

  /// The largest whole number that the column holds.
  int64_t LargestNumber() const {
    if (field_.type.id != TypeId::kNumeric) {
      return Largest(field_.type);
    }
    const auto digits = static_cast<uint8_t>(field_.type.precision - field_.type.scale);
    constexpr uint8_t kDigitsMax = std::numeric_limits<int64_t>::digits10;
    return static_cast<int64_t>(PowerOfTen(std::min(digits, kDigitsMax)) - 1);
  }

  Result<ColumnMaker> Sequence() {
    const int64_t start = options_.start.value_or(1);
    const int64_t step = options_.step.value_or(1);
    int64_t max = LargestNumber();
    if (options_.max) {
      const auto given = ParseOptionInteger(*options_.max);
      if (!given || *given > max) {
        return Refuse(
            "max", fmt::format("expected a whole number up to {}, got '{}'", max, *options_.max));
      }
      max = *given;
    }
    if (start > max || start < -LargestNumber()) {
      return Refuse("start", fmt::format("{} is out of the sequence's range", start));
    }
    const uint64_t length =
        (static_cast<uint64_t>(max) - static_cast<uint64_t>(start)) / static_cast<uint64_t>(step) +
        1;  // 0 stands for 2^64.
    return Numbers("sequence", [start, step, length](const Draws&, uint64_t row) {
      const uint64_t place = length == 0 ? row : row % length;
      return static_cast<int64_t>(static_cast<uint64_t>(start) +
                                  place * static_cast<uint64_t>(step));
    });
  }

  Result<ColumnMaker> ZipfNumbers() {
    const int64_t count = options_.count.value_or(std::min<int64_t>(1000, LargestNumber()));
    if (count > LargestNumber()) {
      return Refuse("count", fmt::format("{} does not fit the column's type", count));
    }
    return Numbers(
        "zipf", [zipf = Zipf(count, options_.exponent.value_or(1))](const Draws& draws, uint64_t) {
          return zipf.Sample(draws, kDrawValue);
        });
  }

  Result<ColumnMaker> Uniform() {
    switch (field_.type.id) {
      case TypeId::kBoolean:
        return PerRow(field_, seed_, options_.null_share,
                      [](ColumnBuilder& builder, const Draws& draws, uint64_t) {
                        builder.AppendBool(draws.Below(kDrawValue, 2) == 1);
                      });
      case TypeId::kUuid:
        return PerRow(field_, seed_, options_.null_share, AppendUuidOf);
      case TypeId::kFloat32:
      case TypeId::kFloat64:
        return UniformFloats();
      case TypeId::kNumeric:
        return UniformNumerics();
      default:
        return UniformIntegers();
    }
  }

  /// A random UUID (RFC 9562, version 4).
  static void AppendUuidOf(ColumnBuilder& builder, const Draws& draws, uint64_t) {
    uint64_t halves[2] = {draws.At(kDrawValue), draws.At(kDrawValue + 1)};
    Uuid uuid;
    std::memcpy(uuid.data(), halves, sizeof(halves));
    uuid[6] = (uuid[6] & std::byte{0x0F}) | std::byte{0x40};
    uuid[8] = (uuid[8] & std::byte{0x3F}) | std::byte{0x80};
    builder.AppendFixed(uuid);
  }

  /// A bound as it is given, or `fallback`.
  Result<Value> Bound(const char* name, const std::optional<std::string>& given,
                      std::string_view fallback, const DataType& type) {
    auto value = ParseValue(given ? *given : std::string(fallback), type);
    if (!value) {
      return Refuse(name, fmt::format("expected a number of type {}, got '{}'", type.ToString(),
                                      given.value_or("")));
    }
    return value;
  }

  Result<ColumnMaker> UniformIntegers() {
    const DataType type =
        field_.type.id == TypeId::kText ? DataType::Of(TypeId::kInt64) : field_.type;
    if (!type.is_integer()) {
      return RefuseType("uniform");
    }
    MR_ASSIGN(const Value least, Bound("min", options_.min, "0", type));
    MR_ASSIGN(const Value most, Bound("max", options_.max, "100", type));
    const int64_t min = least.Get<int64_t>();
    const int64_t max = most.Get<int64_t>();
    if (min > max) {
      return Refuse("max", fmt::format("max is below min in column {}", field_.name));
    }
    const Uint128 values = Uint128{static_cast<uint64_t>(max) - static_cast<uint64_t>(min)} + 1;
    return Numbers("uniform", [min, values](const Draws& draws, uint64_t) {
      const auto offset = static_cast<uint64_t>((Uint128{draws.At(kDrawValue)} * values) >> 64);
      return static_cast<int64_t>(static_cast<uint64_t>(min) + offset);
    });
  }

  Result<ColumnMaker> UniformNumerics() {
    MR_ASSIGN(const Value least, Bound("min", options_.min, "0", field_.type));
    MR_ASSIGN(const Value most, Bound("max", options_.max, "100", field_.type));
    const auto min = least.Get<Int128>();
    const auto max = most.Get<Int128>();
    if (min > max || static_cast<Uint128>(max - min) > std::numeric_limits<int64_t>::max()) {
      return Refuse("max",
                    fmt::format("max is below min, or too far above, in column {}", field_.name));
    }
    const auto values = static_cast<uint64_t>(max - min) + 1;
    return PerRow(field_, seed_, options_.null_share,
                  [min, values](ColumnBuilder& builder, const Draws& draws, uint64_t) {
                    builder.AppendFixed(
                        min + static_cast<Int128>((Uint128{draws.At(kDrawValue)} * values) >> 64));
                  });
  }

  Result<ColumnMaker> UniformFloats() {
    const DataType type = DataType::Of(TypeId::kFloat64);
    MR_ASSIGN(const Value least, Bound("min", options_.min, "0", type));
    MR_ASSIGN(const Value most, Bound("max", options_.max, "100", type));
    const auto min = least.Get<double>();
    const double width = most.Get<double>() - min;
    if (!(width >= 0) || !std::isfinite(width)) {
      return Refuse("max",
                    fmt::format("max is below min, or too far above, in column {}", field_.name));
    }
    const bool wide = field_.type.id == TypeId::kFloat64;
    return PerRow(field_, seed_, options_.null_share,
                  [min, width, wide](ColumnBuilder& builder, const Draws& draws, uint64_t) {
                    const double value = min + draws.Unit(kDrawValue) * width;
                    wide ? builder.AppendFixed(value)
                         : builder.AppendFixed(static_cast<float>(value));
                  });
  }

  Result<ColumnMaker> Choice() {
    if (options_.values.empty()) {
      return Refuse("values", fmt::format("column {} needs values to choose from", field_.name));
    }
    if (!options_.weights.empty() && options_.weights.size() != options_.values.size()) {
      return Refuse("weights", fmt::format("{} weights for {} values", options_.weights.size(),
                                           options_.values.size()));
    }
    std::vector<int64_t> ends;  // Of each value's part of the sum of weights.
    int64_t sum = 0;
    ColumnBuilder builder(field_.type);
    for (size_t i = 0; i < options_.values.size(); ++i) {
      const auto weight =
          options_.weights.empty() ? Result<int64_t>(1) : ParseOptionInteger(options_.weights[i]);
      constexpr int64_t kWeightMax = 1'000'000'000;
      if (!weight || *weight < 0 || *weight > kWeightMax) {
        return Refuse("weights", fmt::format("expected whole numbers up to {}, got '{}'",
                                             kWeightMax, options_.weights[i]));
      }
      sum += *weight;
      ends.push_back(sum);
      const auto value = ParseValue(options_.values[i], field_.type);
      if (!value) {
        return Refuse("values", value.error().message());
      }
      AppendValue(builder, *value);
    }
    if (sum == 0) {
      return Refuse("weights", "at least one weight must be above 0");
    }
    return PerRow(
        field_, seed_, options_.null_share,
        [ends, sum, values = builder.Finish()](ColumnBuilder& out, const Draws& draws, uint64_t) {
          const int64_t at = draws.Below(kDrawValue, sum);
          const auto found = std::ranges::upper_bound(ends, at);
          out.AppendFrom(values, static_cast<size_t>(found - ends.begin()));
        });
  }

  Result<ColumnMaker> Text() {
    if (field_.type.id != TypeId::kText) {
      return RefuseType("text");
    }
    constexpr uint32_t kLength = 10;
    const uint32_t min =
        options_.length_min.value_or(std::min(kLength, options_.length_max.value_or(kLength)));
    const uint32_t max = options_.length_max.value_or(min);
    if (min > max) {
      return Refuse("length_max",
                    fmt::format("length_max is below length_min in column {}", field_.name));
    }
    return PerRow(
        field_, seed_, options_.null_share,
        [min, max, text = std::string()](ColumnBuilder& builder, const Draws& draws,
                                         uint64_t) mutable {
          text.resize(min + static_cast<size_t>(draws.Below(kDrawLength, int64_t{max} - min + 1)));
          WriteLetters(draws, text);
          builder.AppendText(text);
        });
  }

  /// Eight letters of each draw.
  static void WriteLetters(const Draws& draws, std::string& text) {
    constexpr size_t kLettersPerDraw = 8;
    uint64_t use = kDrawValue;
    for (size_t begin = 0; begin < text.size(); begin += kLettersPerDraw) {
      uint64_t draw = draws.At(use++);
      const size_t end = std::min(begin + kLettersPerDraw, text.size());
      for (size_t i = begin; i < end; ++i, draw >>= 8) {
        text[i] = static_cast<char>('a' + ((draw & 0xFF) * 26 >> 8));
      }
    }
  }

  Result<ColumnMaker> Time(const RowTimes& times) {
    if (field_.type.id == TypeId::kTimestamptz) {
      return PerRow(field_, seed_, options_.null_share,
                    [times](ColumnBuilder& builder, const Draws&, uint64_t row) {
                      builder.AppendFixed(times.At(row));
                    });
    }
    if (field_.type.id != TypeId::kDate) {
      return RefuseType("time");
    }
    return PerRow(field_, seed_, options_.null_share,
                  [times](ColumnBuilder& builder, const Draws&, uint64_t row) {
                    const Micros at = times.At(row);
                    const Micros days = at / kMicrosPerDay - (at % kMicrosPerDay < 0 ? 1 : 0);
                    builder.AppendFixed(static_cast<int32_t>(days));
                  });
  }

  const Field& field_;
  const DatagenColumnOptions& options_;
  const uint64_t seed_;
  std::string& option_;
};

}  // namespace

Result<ColumnMaker> MakeColumnMaker(const Field& field, const DatagenColumnOptions& options,
                                    uint64_t seed, const RowTimes& times, std::string& option) {
  return MakerChoice(field, options, seed, option).Make(times);
}

}  // namespace millrace
