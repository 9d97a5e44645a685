#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace {

/// xxh3-64 of bytes (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md).
uint64_t Xxh3(std::span<const std::byte> bytes);
uint64_t Xxh3(std::string_view bytes);
/// The hash of the pieces laid end to end.
uint64_t Xxh3(std::span<const std::span<const std::byte>> pieces);
/// Continues a hash over several pieces: the seed is the hash of what came before.
uint64_t Xxh3(std::span<const std::byte> bytes, uint64_t seed);

}  // namespace millrace
