#include "millrace/codec/text_dictionary.h"

#include <algorithm>
#include <cstring>

#include "millrace/base/int128.h"

namespace millrace::columnar {

namespace {

constexpr size_t kSampleRows = 64;
constexpr size_t kSampleDistinctMax = 24;

}  // namespace

TextDictionary::TextDictionary(const Column& column) : views_(column.Values<TextView>()) {
  for (const BufferPtr& buffer : column.text_buffers()) {
    buffers_.push_back(buffer->data());
  }
  slots_.fill(kEmpty);
}

inline uint64_t TextDictionary::Hash(size_t row) const {
  const TextView& view = views_[row];
  uint64_t words[2];
  std::memcpy(words, &view, sizeof(view));
  if (!view.is_inline()) {
    // Both ends are enough: a bad hash costs at most kDictionaryMax comparisons.
    const std::string_view text = LongText(view);
    std::memcpy(words, text.data(), sizeof(uint64_t));
    std::memcpy(words + 1, text.data() + text.size() - sizeof(uint64_t), sizeof(uint64_t));
    words[0] ^= text.size() << 56;
  }
  const Uint128 product = Uint128{words[0] ^ 0x9e3779b97f4a7c15} * (words[1] ^ 0xe7037ed1a0b428db);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline bool TextDictionary::Equal(size_t a, size_t b) const {
  if (views_[a].is_inline() || views_[b].is_inline()) {
    return std::memcmp(&views_[a], &views_[b], sizeof(TextView)) == 0;
  }
  return LongText(views_[a]) == LongText(views_[b]);
}

inline std::optional<uint8_t> TextDictionary::Number(size_t row) {
  const uint64_t hash = Hash(row);
  for (size_t slot = hash % kSlots;; slot = (slot + 1) % kSlots) {
    const uint16_t number = slots_[slot];
    if (number == kEmpty) {
      if (rows_.size() == kDictionaryMax) {
        return std::nullopt;
      }
      slots_[slot] = static_cast<uint16_t>(rows_.size());
      rows_.push_back(static_cast<uint32_t>(row));
      hashes_.push_back(hash);
      return static_cast<uint8_t>(slots_[slot]);
    }
    if (hashes_[number] == hash && Equal(rows_[number], row)) {
      return static_cast<uint8_t>(number);
    }
  }
}

bool TextDictionary::NumberAll(std::span<uint8_t> numbers) {
  for (size_t row = 0; row < numbers.size(); ++row) {
    const auto number = Number(row);
    if (!number) {
      return false;
    }
    numbers[row] = *number;
  }
  return true;
}

bool TextDictionary::LooksRepetitive(const Column& column) {
  if (column.size() < kSampleRows) {
    return false;
  }
  TextDictionary sample(column);
  const size_t step = column.size() / kSampleRows;
  for (size_t i = 0; i < kSampleRows && sample.rows_.size() <= kSampleDistinctMax; ++i) {
    sample.Number(i * step);
  }
  return sample.rows_.size() <= kSampleDistinctMax;
}

}  // namespace millrace::columnar
