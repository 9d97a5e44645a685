#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/data/batch.h"

namespace millrace {

/// The encoded keys (data/row_encoding.h) of many rows side by side, made column by column; reused
/// from batch to batch. Used by one thread at a time.
class EncodedKeys {
 public:
  /// Encodes `columns` of every row.
  void Encode(const Batch& batch, std::span<const size_t> columns);

  /// Encodes `columns` of the rows named by `rows`. `prefixes` is empty or has one value per row of
  /// the batch, whose eight bytes go before the row's key.
  void Encode(const Batch& batch, std::span<const size_t> columns, std::span<const uint32_t> rows,
              std::span<const int64_t> prefixes);

  size_t size() const { return ends_.size(); }
  /// The key of the `index`th encoded row, behind its prefix.
  std::string_view key(size_t index) const {
    const uint32_t begin = index == 0 ? 0 : ends_[index - 1];
    return {bytes_.get() + begin, ends_[index] - begin};
  }

 private:
  void AddSizes(const Column& column, std::span<const uint32_t> rows);
  void Write(const Column& column, std::span<const uint32_t> rows);

  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  /// While encoding: first the size of each key, then where its next value goes.
  std::vector<uint32_t> ends_;
  std::vector<uint32_t> all_rows_;
};

}  // namespace millrace
