#include "millrace/serve/inflater.h"

#include <fmt/format.h>
#include <zlib.h>

#include "millrace/base/check.h"

namespace millrace::serve {

namespace {

constexpr size_t kRatioFreeBytes = size_t{1} << 20;
constexpr int kWindowBitsGzip = 15 + 16;  // zlib.h, inflateInit2: gzip only

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  Stream() { MR_CHECK(inflateInit2(&z, kWindowBitsGzip) == Z_OK, "zlib"); }
  ~Stream() { inflateEnd(&z); }
};

Inflater::Inflater(size_t ratio_max) : stream_(std::make_unique<Stream>()), ratio_max_(ratio_max) {}
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater::~Inflater() = default;

Status Inflater::Write(std::string_view bytes, BodyBuilder& body) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  bytes_in_ += bytes.size();
  bool output_full = false;
  while (z.avail_in > 0 || output_full) {
    if (finished_) {
      inflateReset(&z);
      finished_ = false;
    }
    // A byte is tried outside the body first: a body that is just full may still need its trailer.
    char beyond = 0;
    auto room = body.Room();
    if (!room && room.error().code() != ErrorCode::kBodyTooLarge) {
      return Err(room.error());
    }
    const std::span<char> out = room ? *room : std::span<char>(&beyond, 1);
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&z, Z_NO_FLUSH);
    const size_t produced = out.size() - z.avail_out;
    if (!room && produced > 0) {
      return Err(room.error());
    }
    body.Advance(produced);
    if (body.size() > kRatioFreeBytes && body.size() / ratio_max_ > bytes_in_) {
      return Err(ErrorCode::kBodyTooLarge,
                 fmt::format("compressed more than {} times", ratio_max_));
    }
    finished_ = code == Z_STREAM_END;
    output_full = z.avail_out == 0 && !finished_;
    if (code == Z_BUF_ERROR && z.avail_in == 0) {
      break;
    }
    if (code != Z_OK && code != Z_STREAM_END) {
      return Err(ErrorCode::kDecompressionFailed, "the body is not valid gzip");
    }
  }
  return {};
}

}  // namespace millrace::serve
