#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/connect/nexmark/nexmark_events.h"
#include "millrace/data/text_view.h"

namespace millrace::nexmark {

// Texts of the Nexmark generator: StringsGenerator, PersonGenerator and BidGenerator of
// nexmark-flink.

/// Appends 3 to `length_max` - 1 characters, one in 13 `special`, without spaces at the ends.
void AppendWord(const Draws& draws, uint64_t use, int64_t length_max, char special,
                std::string& out);

/// Bytes of the filler that makes an event of `size` bytes `size_average` long, 20 % more or less.
size_t ExtraSize(const Draws& draws, size_t size, size_t size_average);
/// Writes filler: letters from H to z, six at a time up or down from a, as the original's signed
/// remainders give them. Up to kExtraSlack bytes behind it are overwritten.
void WriteExtra(const Draws& draws, size_t size, char* out);
inline constexpr size_t kExtraSlack = 8;

void AppendPersonName(const Draws& draws, std::string& out);
void AppendEmailAddress(const Draws& draws, std::string& out);
void AppendCreditCard(const Draws& draws, std::string& out);
std::string_view CityOf(const Draws& draws);
std::string_view StateOf(const Draws& draws);

/// The channels of bids and a URL for each: four hot ones and 10,000 others. Immutable.
class Channels {
 public:
  explicit Channels(uint64_t mixed_seed);

  /// Index of a bid's channel.
  static size_t IndexOf(const Draws& draws);

  const TextView& name(size_t index) const { return names_[index]; }
  std::string_view url(size_t index) const { return {urls_[index].text, urls_[index].size}; }
  /// Writes kUrlRoom bytes, of which the URL's size counts, which is returned.
  size_t WriteUrl(size_t index, char* out) const {
    const Url& url = urls_[index];
    std::memcpy(out, url.text, kUrlRoom);
    return url.size;
  }
  static constexpr size_t kUrlRoom = 96;

 private:
  struct Url {
    char text[kUrlRoom] = {};
    size_t size = 0;
  };
  void Add(std::string_view name, std::string_view url);

  std::vector<TextView> names_;
  std::vector<Url> urls_;
};

}  // namespace millrace::nexmark
