#include "millrace/connect/nexmark/nexmark_texts.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "millrace/base/check.h"

namespace millrace::nexmark {

namespace {

constexpr std::array<std::string_view, 11> kFirstNames = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> kLastNames = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, 10> kCities = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, 4> kHotChannels = {"Google", "Facebook", "Baidu", "Apple"};
constexpr size_t kChannelsCount = 10'000;

constexpr int64_t kWordLengthMin = 3;
constexpr uint32_t kLetters = 26;
constexpr uint32_t kPairs = kLetters * kLetters;

/// Letters that one round of WriteExtra makes: groups of six, of which each has a sign.
constexpr size_t kGroupLetters = 6;
constexpr size_t kRoundGroups = 16;
constexpr size_t kRoundLetters = kGroupLetters * kRoundGroups;
constexpr size_t kRoundPairs = kRoundLetters / 2;
constexpr size_t kPairsPerDraw = 4;
constexpr uint64_t kRoundDraws = kRoundPairs / kPairsPerDraw;

/// Numbers from 0 to 25, made by the pair from 16 bits; the loop is one of few vector instructions.
void DrawLetters(const Draws& draws, uint64_t use, uint8_t* letters) {
  std::array<uint16_t, kRoundPairs> random{};
  for (uint64_t i = 0; i < kRoundDraws; ++i) {
    const uint64_t draw = draws.At(use + i);
    std::memcpy(random.data() + i * kPairsPerDraw, &draw, sizeof(draw));
  }
  std::array<uint16_t, kRoundPairs> pairs{};
  for (size_t i = 0; i < kRoundPairs; ++i) {
    const auto pair = static_cast<uint16_t>(uint32_t{random[i]} * kPairs >> 16);
    const auto second = static_cast<uint16_t>(pair / kLetters);
    pairs[i] = static_cast<uint16_t>((pair - second * kLetters) | (uint32_t{second} << 8));
  }
  std::memcpy(letters, pairs.data(), sizeof(pairs));
}

template <size_t N>
std::string_view Choose(const std::array<std::string_view, N>& texts, const Draws& draws, Use use) {
  return texts[static_cast<size_t>(draws.Below(use, N))];
}

std::string BaseUrl(const Draws& draws) {
  constexpr uint64_t kRun = 16;  // Draws of one word.
  std::string url = "https://www.nexmark.com/";
  for (uint64_t word = 0; word < 3; ++word) {
    AppendWord(draws, word * kRun, 5, '_', url);
    url += '/';
  }
  return url + "item.htm?query=1";
}

uint32_t ReverseBits(uint32_t value) {
  uint32_t reversed = 0;
  for (int bit = 0; bit < 32; ++bit) {
    reversed = reversed << 1 | (value >> bit & 1);
  }
  return reversed;
}

}  // namespace

void AppendWord(const Draws& draws, uint64_t use, int64_t length_max, char special,
                std::string& out) {
  constexpr uint64_t kSpecialOneIn = 13;
  const int64_t length = kWordLengthMin + draws.Below(use, length_max - kWordLengthMin);
  const size_t begin = out.size();
  for (int64_t i = 0; i < length; ++i) {
    const uint64_t draw = draws.At(use + 1 + static_cast<uint64_t>(i));
    const bool is_special = (draw & 0xFFFFFFFF) * kSpecialOneIn >> 32 == 0;
    out += is_special ? special : static_cast<char>('a' + ((draw >> 32) * kLetters >> 32));
  }
  const size_t first = out.find_first_not_of(' ', begin);
  if (first == std::string::npos) {
    out.resize(begin);
    return;
  }
  out.resize(out.find_last_not_of(' ') + 1);
  out.erase(begin, first - begin);
}

size_t ExtraSize(const Draws& draws, size_t size, size_t size_average) {
  if (size > size_average) {
    return 0;
  }
  const auto missing = static_cast<int64_t>(size_average - size);
  const auto delta = static_cast<int64_t>(std::floor(static_cast<double>(missing) * 0.2 + 0.5));
  const int64_t more = delta == 0 ? 0 : draws.Below(kDrawExtraSize, 2 * delta);
  return static_cast<size_t>(missing - delta + more);
}

void WriteExtra(const Draws& draws, size_t size, char* out) {
  static_assert(kExtraSlack >= sizeof(uint64_t));
  constexpr uint64_t kAllA = 0x6161616161616161;
  const char* const end = out + size;
  std::array<uint8_t, kRoundLetters + sizeof(uint64_t)> letters{};
  for (uint64_t use = kDrawExtra; out < end; use += kRoundDraws + 1) {
    uint64_t signs = draws.At(use);
    DrawLetters(draws, use + 1, letters.data());
    for (size_t i = 0; i < kRoundLetters && out < end; i += kGroupLetters) {
      uint64_t group;
      std::memcpy(&group, letters.data() + i, sizeof(group));
      group = (signs & 1) != 0 ? kAllA - group : kAllA + group;
      std::memcpy(out, &group, sizeof(group));
      out += kGroupLetters;
      signs >>= 1;
    }
  }
}

void AppendPersonName(const Draws& draws, std::string& out) {
  out += Choose(kFirstNames, draws, kDrawFirstName);
  out += ' ';
  out += Choose(kLastNames, draws, kDrawLastName);
}

void AppendEmailAddress(const Draws& draws, std::string& out) {
  AppendWord(draws, kDrawMailbox, 7, ' ', out);
  out += '@';
  AppendWord(draws, kDrawMailHost, 5, ' ', out);
  out += ".com";
}

void AppendCreditCard(const Draws& draws, std::string& out) {
  constexpr int64_t kFourDigits = 10'000;
  for (uint64_t i = 0; i < 4; ++i) {
    fmt::format_to(std::back_inserter(out), "{}{:04}", i == 0 ? "" : " ",
                   draws.Below(kDrawCreditCard + i, kFourDigits));
  }
}

std::string_view CityOf(const Draws& draws) { return Choose(kCities, draws, kDrawCity); }
std::string_view StateOf(const Draws& draws) { return Choose(kStates, draws, kDrawState); }

Channels::Channels(uint64_t mixed_seed) {
  const auto draws = [&](size_t index) { return Draws(MixBits(mixed_seed ^ kGoldenStep), index); };
  for (size_t i = 0; i < kHotChannels.size(); ++i) {
    Add(kHotChannels[i], BaseUrl(draws(i)));
  }
  constexpr uint64_t kHasId = 64;  // A draw behind those of the words.
  constexpr int64_t kWithoutIdOneIn = 10;
  for (size_t number = 0; number < kChannelsCount; ++number) {
    const Draws own = draws(kHotChannels.size() + number);
    std::string url = BaseUrl(own);
    if (own.Below(kHasId, kWithoutIdOneIn) > 0) {
      // Java's Math.abs leaves the smallest integer negative.
      const uint32_t bits = ReverseBits(static_cast<uint32_t>(number));
      const uint32_t magnitude = bits >> 31 != 0 ? uint32_t{0} - bits : bits;
      url += fmt::format("&channel_id={}", std::bit_cast<int32_t>(magnitude));
    }
    Add(fmt::format("channel-{}", number), url);
  }
}

void Channels::Add(std::string_view name, std::string_view url) {
  MR_CHECK(url.size() <= kUrlRoom, "{}", url);
  names_.push_back(TextView::Inline(name));
  Url& added = urls_.emplace_back();
  std::memcpy(added.text, url.data(), url.size());
  added.size = url.size();
}

size_t Channels::IndexOf(const Draws& draws) {
  const bool hot = draws.Below(kDrawHotChannel, 2) > 0;
  return hot ? static_cast<size_t>(draws.Below(kDrawChannel, kHotChannels.size()))
             : kHotChannels.size() +
                   static_cast<size_t>(draws.Below(kDrawChannel, int64_t{kChannelsCount}));
}

}  // namespace millrace::nexmark
