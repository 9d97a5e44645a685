#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/base/options.h"

namespace millrace {

/// The WITH options of a table with connector = 'datagen'.
struct DatagenOptions {
  uint64_t rows = 0;  ///< 0 = endless.
  uint64_t rate = 0;  ///< Per second of wall clock; 0 = as fast as possible.
  uint64_t seed = 1;
  std::string start_time = "now";
  std::optional<Duration> time_step;
  double out_of_order_share = 0;
  Duration out_of_order_max{0};

  /// `now`: what start_time = 'now' is. Of a struct that was read without errors.
  Micros StartMicros(Micros now) const;
};
const OptionTable<DatagenOptions>& DatagenOptionTable();

/// How the values of a column are made.
enum class DatagenKind : uint8_t {
  kSequence,  ///< Numbers that count up.
  kUniform,   ///< Any number of a range, any boolean or UUID.
  kZipf,      ///< Numbers from 1 on, small ones often.
  kChoice,    ///< One of some values.
  kText,      ///< Random letters.
  kTime,      ///< The row's event time.
};

/// The WITH options of one column of such a table, written column.option.
struct DatagenColumnOptions {
  std::optional<DatagenKind> kind;
  double null_share = 0;
  std::optional<int64_t> start;
  std::optional<int64_t> step;
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<int64_t> count;
  std::optional<double> exponent;
  std::string prefix;
  std::vector<std::string> values;
  std::vector<std::string> weights;
  std::optional<uint32_t> length_min;
  std::optional<uint32_t> length_max;
};
const OptionTable<DatagenColumnOptions>& DatagenColumnOptionTable();

}  // namespace millrace
