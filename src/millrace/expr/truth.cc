#include "millrace/expr/truth.h"

namespace millrace::internal {

namespace {

std::vector<uint64_t> Ones(size_t size) {
  BitmapBuilder bits;
  bits.AppendMany(true, size);
  return bits.Take();
}

void AppendPositions(uint64_t word, uint32_t base, uint32_t*& out) {
  while (word != 0) {
    *out++ = base + static_cast<uint32_t>(std::countr_zero(word));
    word &= word - 1;
  }
}

}  // namespace

Truth Truth::All(bool value, size_t size) {
  Truth truth{Ones(size), std::vector<uint64_t>(WordsForBits(size))};
  if (!value) {
    truth.Negate();
  }
  return truth;
}

Truth Truth::FromOperand(const Operand& operand, size_t size) {
  if (operand.constant) {
    return operand.column.IsNull(0) ? Truth{std::vector<uint64_t>(WordsForBits(size)),
                                            std::vector<uint64_t>(WordsForBits(size))}
                                    : All(operand.column.Bool(0), size);
  }
  const size_t words = WordsForBits(size);
  const uint64_t* bits = operand.column.Bits();
  const uint64_t* valid = operand.column.validity();
  Truth truth{std::vector<uint64_t>(bits, bits + words),
              valid == nullptr ? Ones(size) : std::vector<uint64_t>(valid, valid + words)};
  for (size_t i = 0; i < words; ++i) {
    truth.is_true[i] &= truth.is_false[i];
    truth.is_false[i] &= ~truth.is_true[i];
  }
  return truth;
}

void Truth::And(const Truth& other) {
  for (size_t i = 0; i < is_true.size(); ++i) {
    is_true[i] &= other.is_true[i];
    is_false[i] |= other.is_false[i];
  }
}

void Truth::Or(const Truth& other) {
  for (size_t i = 0; i < is_true.size(); ++i) {
    is_true[i] |= other.is_true[i];
    is_false[i] &= other.is_false[i];
  }
}

void Truth::AndAt(const Truth& other, std::span<const uint32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!GetBit(other.is_true.data(), i)) {
      ClearBit(is_true.data(), rows[i]);
    }
    if (GetBit(other.is_false.data(), i)) {
      SetBit(is_false.data(), rows[i]);
    }
  }
}

void Truth::OrAt(const Truth& other, std::span<const uint32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (GetBit(other.is_true.data(), i)) {
      SetBit(is_true.data(), rows[i]);
    }
    if (!GetBit(other.is_false.data(), i)) {
      ClearBit(is_false.data(), rows[i]);
    }
  }
}

Column Truth::ToColumn(size_t size) const {
  std::vector<uint64_t> valid(is_true.size());
  for (size_t i = 0; i < valid.size(); ++i) {
    valid[i] = is_true[i] | is_false[i];
  }
  BufferPtr validity = CountBits(valid) == size ? nullptr : Buffer::Own(std::move(valid));
  return {DataType::Of(TypeId::kBoolean), size, std::move(validity), Buffer::Own(is_true)};
}

std::vector<uint32_t> SetPositions(std::span<const uint64_t> words, size_t size) {
  std::vector<uint32_t> positions(CountBits(words.first(WordsForBits(size))));
  uint32_t* out = positions.data();
  for (size_t i = 0; i < WordsForBits(size); ++i) {
    AppendPositions(words[i], static_cast<uint32_t>(i * kBitsPerWord), out);
  }
  return positions;
}

std::vector<uint32_t> ClearPositions(std::span<const uint64_t> words, size_t size) {
  std::vector<uint64_t> inverted = Ones(size);
  for (size_t i = 0; i < inverted.size(); ++i) {
    inverted[i] &= ~words[i];
  }
  return SetPositions(inverted, size);
}

}  // namespace millrace::internal
