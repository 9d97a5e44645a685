#include "millrace/engine/aggregate/extremes.h"

namespace millrace {

bool HasExtreme(DataType type) {
  return type.is_number() || type.id == TypeId::kText || type.id == TypeId::kBytea ||
         type.id == TypeId::kDate || type.id == TypeId::kTimestamp ||
         type.id == TypeId::kTimestamptz || type.id == TypeId::kInterval;
}

void KeepText(ExtremeState& state, std::string_view text, bool is_min, TextArena& texts) {
  if (state.count != 0) {
    const std::string_view kept = LoadExtreme<TextRef>(state).view();
    if (is_min ? text >= kept : text <= kept) {
      return;
    }
  }
  const TextRef copy = texts.Copy(text);
  std::memcpy(state.value, &copy, sizeof(copy));
}

namespace {

template <typename T>
void MergeExtremeAs(ExtremeState& into, const ExtremeState& from, bool is_min) {
  KeepExtreme(into, LoadExtreme<T>(from), is_min);
}

}  // namespace

void MergeExtreme(DataType type, ExtremeState& into, const ExtremeState& from, bool is_min,
                  TextArena& texts) {
  if (from.count == 0) {
    return;
  }
  switch (type.id) {
    case TypeId::kText:
    case TypeId::kBytea:
      KeepText(into, LoadExtreme<TextRef>(from).view(), is_min, texts);
      break;
    case TypeId::kInterval:
      MergeExtremeAs<Interval>(into, from, is_min);
      break;
    case TypeId::kInt16:
      MergeExtremeAs<int16_t>(into, from, is_min);
      break;
    case TypeId::kInt32:
    case TypeId::kDate:
      MergeExtremeAs<int32_t>(into, from, is_min);
      break;
    case TypeId::kFloat32:
      MergeExtremeAs<float>(into, from, is_min);
      break;
    case TypeId::kFloat64:
      MergeExtremeAs<double>(into, from, is_min);
      break;
    case TypeId::kNumeric:
      MergeExtremeAs<Int128>(into, from, is_min);
      break;
    default:
      MergeExtremeAs<int64_t>(into, from, is_min);
  }
  into.count += from.count;
}

void AppendExtreme(const ExtremeState& state, DataType type, ColumnBuilder& builder) {
  if (type.is_variable()) {
    return builder.AppendText(LoadExtreme<TextRef>(state).view());
  }
  if (type.id == TypeId::kInterval) {
    return builder.AppendFixed(LoadExtreme<Interval>(state));
  }
  if (type.id == TypeId::kFloat32) {
    return builder.AppendFixed(LoadExtreme<float>(state) + 0.0F);  // -0 and 0 are one value.
  }
  if (type.id == TypeId::kFloat64) {
    return builder.AppendFixed(LoadExtreme<double>(state) + 0.0);
  }
  switch (type.width()) {
    case sizeof(int16_t):
      return builder.AppendFixed(LoadExtreme<int16_t>(state));
    case sizeof(int32_t):
      return builder.AppendFixed(LoadExtreme<int32_t>(state));
    case sizeof(int64_t):
      return builder.AppendFixed(LoadExtreme<int64_t>(state));
    default:
      return builder.AppendFixed(LoadExtreme<Int128>(state));
  }
}

}  // namespace millrace
