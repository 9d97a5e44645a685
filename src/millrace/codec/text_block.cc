#include "millrace/codec/text_block.h"

#include <cstring>

#include "millrace/base/check.h"
#include "millrace/codec/columnar_format.h"
#include "millrace/codec/integer_block.h"
#include "millrace/codec/text_dictionary.h"

namespace millrace::columnar {

namespace {

/// Bytes that a copy may write behind its text.
constexpr size_t kSlackBytes = 16;

/// Copies texts one after the other, in steps of 16 bytes where the source has them.
class TextJoiner {
 public:
  TextJoiner(const Column& column, std::byte* to) : to_(to) {
    for (const BufferPtr& buffer : column.text_buffers()) {
      buffers_.push_back(buffer->bytes());
    }
  }

  void Add(const TextView& view) {
    const uint32_t size = view.size();
    if (view.is_inline()) {
      std::memcpy(to_, view.inline_text().data(), TextView::kInlineMax);
      to_ += size;
      return;
    }
    const std::span<const std::byte> buffer = buffers_[view.buffer()];
    const std::byte* from = buffer.data() + view.offset();
    const size_t left = buffer.size() - view.offset();
    if (left >= size + kSlackBytes) {
      for (size_t at = 0; at < size; at += kSlackBytes) {
        std::memcpy(to_ + at, from + at, kSlackBytes);
      }
    } else {
      std::memcpy(to_, from, size);
    }
    to_ += size;
  }

 private:
  std::byte* to_;
  std::vector<std::span<const std::byte>> buffers_;
};

/// Encodes the texts at `row_of(0)`, `row_of(1)`, ... as lengths and bytes.
template <typename RowOf>
void EncodeTexts(const Column& column, size_t count, RowOf row_of, TextScratch& scratch,
                 Bytes& out) {
  const auto views = column.Values<TextView>();
  scratch.lengths.resize(count);
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t length = views[row_of(i)].size();
    scratch.lengths[i] = static_cast<int32_t>(length);
    size += length;
  }
  MR_CHECK(size <= kColumnBytesMax, "a column of {} bytes", size);
  std::byte* const joined = scratch.joined.Get(size + kSlackBytes);
  TextJoiner joiner(column, joined);
  for (size_t i = 0; i < count; ++i) {
    joiner.Add(views[row_of(i)]);
  }
  EncodeIntegers<int32_t>(scratch.lengths, out);
  EncodeBytes({joined, size}, count == 0 ? 0 : size / count, scratch.compressed, out);
}

bool EncodeDictionary(const Column& column, TextScratch& scratch, Bytes& out) {
  if (!TextDictionary::LooksRepetitive(column)) {
    return false;
  }
  TextDictionary dictionary(column);
  scratch.codes.resize(column.size());
  if (!dictionary.NumberAll(scratch.codes)) {
    return false;
  }
  ByteWriter writer(out);
  writer.Put(TextKind::kDictionary);
  const auto& rows = dictionary.rows();
  writer.Put(static_cast<uint16_t>(rows.size()));
  EncodeTexts(column, rows.size(), [&](size_t i) { return rows[i]; }, scratch, out);
  writer.PutBytes(std::as_bytes(std::span(scratch.codes)));
  return true;
}

/// Reads `count` texts as lengths and bytes.
Result<DecodedText> DecodeTexts(ByteReader& reader, size_t count, const BufferPtr& payload) {
  std::vector<int32_t> lengths(count);
  MR_TRY(DecodeIntegers<int32_t>(reader, lengths));
  MR_ASSIGN(auto decoded, DecodeBytes(reader));
  const std::span<const std::byte> bytes = decoded.bytes;
  DecodedText text;
  // Text in the payload keeps the offset it has there.
  const auto base =
      decoded.owner == nullptr ? static_cast<size_t>(bytes.data() - payload->data()) : 0;
  text.buffers.push_back(decoded.owner == nullptr
                             ? payload
                             : std::make_shared<const Buffer>(bytes, std::move(decoded.owner)));
  text.views.resize(count);
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto length = static_cast<uint32_t>(lengths[i]);
    if (length > bytes.size() - at) {
      return Err(ErrorCode::kCorruption, "texts are longer than their bytes");
    }
    const auto* from = reinterpret_cast<const char*>(bytes.data() + at);
    if (length > TextView::kInlineMax) {
      text.views[i] = TextView::Reference({from, length}, 0, static_cast<uint32_t>(base + at));
    } else if (bytes.size() - at >= TextView::kInlineMax) {
      text.views[i] = TextView::InlinePadded(from, length);
    } else {
      text.views[i] = TextView::Inline({from, length});
    }
    at += length;
  }
  if (at != bytes.size()) {
    return Err(ErrorCode::kCorruption, "texts are shorter than their bytes");
  }
  return text;
}

Result<DecodedText> DecodeDictionary(ByteReader& reader, size_t rows, const BufferPtr& payload) {
  MR_ASSIGN(const auto count, reader.Get<uint16_t>());
  if (count == 0 || count > kDictionaryMax) {
    return Err(ErrorCode::kCorruption, fmt::format("a dictionary of {} texts", count));
  }
  MR_ASSIGN(auto texts, DecodeTexts(reader, count, payload));
  MR_ASSIGN(const auto codes, reader.GetBytes(rows));
  DecodedText text;
  text.buffers = std::move(texts.buffers);
  text.views.resize(rows);
  texts.views.resize(kDictionaryMax);
  uint8_t code_max = 0;
  for (size_t i = 0; i < rows; ++i) {
    const auto code = static_cast<uint8_t>(codes[i]);
    code_max = std::max(code_max, code);
    text.views[i] = texts.views[code];
  }
  if (code_max >= count) {
    return Err(ErrorCode::kCorruption,
               fmt::format("text {} of a dictionary of {}", code_max, count));
  }
  return text;
}

}  // namespace

void EncodeText(const Column& column, TextScratch& scratch, Bytes& out) {
  if (EncodeDictionary(column, scratch, out)) {
    return;
  }
  ByteWriter(out).Put(TextKind::kPlain);
  EncodeTexts(column, column.size(), [](size_t i) { return i; }, scratch, out);
}

Result<DecodedText> DecodeText(ByteReader& reader, size_t rows, const BufferPtr& payload) {
  MR_ASSIGN(const auto kind, reader.Get<TextKind>());
  switch (kind) {
    case TextKind::kPlain:
      return DecodeTexts(reader, rows, payload);
    case TextKind::kDictionary:
      return DecodeDictionary(reader, rows, payload);
  }
  return Err(ErrorCode::kCorruption, fmt::format("text of kind {}", static_cast<int>(kind)));
}

}  // namespace millrace::columnar
