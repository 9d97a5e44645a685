#include "millrace/connect/nexmark/nexmark_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "millrace/base/check.h"
#include "millrace/connect/nexmark/text_column.h"

namespace millrace::nexmark {

/// The rows of one batch, and which of them is what.
struct EventBlock {
  const Events& events;
  const Channels& channels;
  bool shifted_bidders;
  std::vector<uint64_t> numbers;              ///< Of the events.
  std::vector<Draws> draws;                   ///< Of the events.
  std::array<std::vector<uint32_t>, 3> rows;  ///< By kind.
  std::array<BufferPtr, 3> validity;          ///< By kind.

  size_t size() const { return numbers.size(); }
  const std::vector<uint32_t>& RowsOf(Kind kind) const { return rows[static_cast<size_t>(kind)]; }
};

namespace {

constexpr size_t kNumberBytes = 8;  ///< A number's part in the size of an event.
constexpr size_t kPersonBytes = 200;
constexpr size_t kAuctionBytes = 500;
constexpr size_t kBidBytes = 100;

const DataType kBigint = DataType::Of(TypeId::kInt64);
const DataType kText = DataType::Of(TypeId::kText);
const DataType kTimestamp = DataType::Of(TypeId::kTimestamptz);

/// A column of the events of one kind, whose number is `value(event, draws)`.
template <typename Value>
Column Numbers(const EventBlock& block, Kind kind, const DataType& type, Value value) {
  std::vector<int64_t> values(block.size());
  for (const uint32_t row : block.RowsOf(kind)) {
    values[row] = value(block.numbers[row], block.draws[row]);
  }
  return {type, block.size(), block.validity[static_cast<size_t>(kind)],
          Buffer::Own(std::move(values))};
}

/// A column of the events of one kind, whose text `append(draws, out)` appends.
template <typename Append>
Column Texts(const EventBlock& block, Kind kind, Append append) {
  constexpr size_t kBytesExpected = 16;
  TextColumn column(block.size(), block.RowsOf(kind).size() * kBytesExpected);
  std::string text;
  for (const uint32_t row : block.RowsOf(kind)) {
    text.clear();
    append(block.draws[row], text);
    std::memcpy(column.Room(text.size()), text.data(), text.size());
    column.Set(row, text.size());
  }
  return column.Finish(block.validity[static_cast<size_t>(kind)]);
}

/// The extra column of the events of one kind, whose size without it is `size(draws)`.
template <typename Size>
Column Extras(const EventBlock& block, Kind kind, size_t size_average, Size size) {
  TextColumn column(block.size(), block.RowsOf(kind).size() * size_average * 7 / 8);
  for (const uint32_t row : block.RowsOf(kind)) {
    const Draws& draws = block.draws[row];
    const size_t extra = ExtraSize(draws, size(draws), size_average);
    WriteExtra(draws, extra, column.Room(extra + kExtraSlack));
    column.Set(row, extra);
  }
  return column.Finish(block.validity[static_cast<size_t>(kind)]);
}

int64_t PriceOf(const Draws& draws, Use use) {
  return static_cast<int64_t>(std::floor(std::pow(10.0, draws.Unit(use) * 6.0) * 100.0 + 0.5));
}

Column MakeEventType(const EventBlock& block) {
  std::vector<int32_t> values(block.size());
  for (size_t row = 0; row < values.size(); ++row) {
    values[row] = static_cast<int32_t>(Events::KindOf(block.numbers[row]));
  }
  return {DataType::Of(TypeId::kInt32), block.size(), nullptr, Buffer::Own(std::move(values))};
}

Column MakeDateTime(const EventBlock& block) {
  std::vector<Micros> values(block.size());
  for (size_t row = 0; row < values.size(); ++row) {
    values[row] = block.events.TimeOf(block.numbers[row]);
  }
  return {kTimestamp, block.size(), nullptr, Buffer::Own(std::move(values))};
}

template <Kind Of>
Column MakeTimeOf(const EventBlock& block) {
  return Numbers(block, Of, kTimestamp,
                 [&](uint64_t event, const Draws&) { return block.events.TimeOf(event); });
}

// Persons

Column MakePersonId(const EventBlock& block) {
  return Numbers(block, Kind::kPerson, kBigint,
                 [](uint64_t event, const Draws&) { return Events::LastPerson(event) + kFirstId; });
}

template <void (*Append)(const Draws&, std::string&)>
Column MakePersonText(const EventBlock& block) {
  return Texts(block, Kind::kPerson, Append);
}

template <std::string_view (*Choose)(const Draws&)>
void AppendChosen(const Draws& draws, std::string& out) {
  out += Choose(draws);
}

Column MakePersonExtra(const EventBlock& block) {
  std::string others;
  return Extras(block, Kind::kPerson, kPersonBytes, [&](const Draws& draws) {
    others.clear();
    AppendPersonName(draws, others);
    AppendEmailAddress(draws, others);
    AppendCreditCard(draws, others);
    return kNumberBytes + others.size() + CityOf(draws).size() + StateOf(draws).size();
  });
}

// Auctions

Column MakeAuctionId(const EventBlock& block) {
  return Numbers(block, Kind::kAuction, kBigint, [](uint64_t event, const Draws&) {
    return Events::LastAuction(event) + kFirstId;
  });
}

template <void (*Append)(const Draws&, std::string&)>
Column MakeAuctionText(const EventBlock& block) {
  return Texts(block, Kind::kAuction, Append);
}

void AppendItemName(const Draws& draws, std::string& out) {
  AppendWord(draws, kDrawItemName, 20, ' ', out);
}

void AppendDescription(const Draws& draws, std::string& out) {
  AppendWord(draws, kDrawDescription, 100, ' ', out);
}

Column MakeAuctionExtra(const EventBlock& block) {
  constexpr size_t kNumbers = 6;
  std::string others;
  return Extras(block, Kind::kAuction, kAuctionBytes, [&](const Draws& draws) {
    others.clear();
    AppendItemName(draws, others);
    AppendDescription(draws, others);
    return others.size() + kNumbers * kNumberBytes;
  });
}

Column MakeInitialBid(const EventBlock& block) {
  return Numbers(block, Kind::kAuction, kBigint,
                 [](uint64_t, const Draws& draws) { return PriceOf(draws, kDrawPrice); });
}

Column MakeReserve(const EventBlock& block) {
  return Numbers(block, Kind::kAuction, kBigint, [](uint64_t, const Draws& draws) {
    return PriceOf(draws, kDrawPrice) + PriceOf(draws, kDrawReserve);
  });
}

/// Auctions run for about as long as it takes to create kAuctionsInFlight more.
Column MakeExpires(const EventBlock& block) {
  constexpr uint64_t kEventsAhead = kAuctionsInFlight * kCycle / kAuctions;
  return Numbers(block, Kind::kAuction, kTimestamp, [&](uint64_t event, const Draws& draws) {
    const int64_t now = block.events.MillisOf(event);
    const int64_t horizon = block.events.MillisOf(event + kEventsAhead) - now;
    return (now + 1 + draws.Below(kDrawExpires, std::max<int64_t>(horizon * 2, 1))) * 1000;
  });
}

Column MakeSeller(const EventBlock& block) {
  constexpr int64_t kColdOneIn = 4;
  return Numbers(block, Kind::kAuction, kBigint, [](uint64_t event, const Draws& draws) {
    const int64_t person = draws.Below(kDrawHotSeller, kColdOneIn) > 0
                               ? Events::LastPerson(event) / kHotGroup * kHotGroup
                               : Events::AnyPerson(event, draws, kDrawSeller);
    return person + kFirstId;
  });
}

Column MakeCategory(const EventBlock& block) {
  return Numbers(block, Kind::kAuction, kBigint, [](uint64_t, const Draws& draws) {
    return kFirstCategory + draws.Below(kDrawCategory, int64_t{kCategories});
  });
}

// Bids

Column MakeBidAuction(const EventBlock& block) {
  constexpr int64_t kColdOneIn = 2;
  return Numbers(block, Kind::kBid, kBigint, [](uint64_t event, const Draws& draws) {
    const int64_t auction = draws.Below(kDrawHotAuction, kColdOneIn) > 0
                                ? Events::LastAuction(event) / kHotGroup * kHotGroup
                                : Events::AnyAuction(event, draws, kDrawAuction);
    return auction + kFirstId;
  });
}

Column MakeBidder(const EventBlock& block) {
  constexpr int64_t kColdOneIn = 4;
  const int64_t first = block.shifted_bidders ? 2 * kFirstId : kFirstId;
  return Numbers(block, Kind::kBid, kBigint, [&](uint64_t event, const Draws& draws) {
    const int64_t person = draws.Below(kDrawHotBidder, kColdOneIn) > 0
                               ? Events::LastPerson(event) / kHotGroup * kHotGroup + 1
                               : Events::AnyPerson(event, draws, kDrawBidder);
    return person + first;
  });
}

Column MakePrice(const EventBlock& block) {
  return Numbers(block, Kind::kBid, kBigint,
                 [](uint64_t, const Draws& draws) { return PriceOf(draws, kDrawPrice); });
}

Column MakeChannel(const EventBlock& block) {
  TextColumn column(block.size(), 0);
  for (const uint32_t row : block.RowsOf(Kind::kBid)) {
    column.Set(row, block.channels.name(Channels::IndexOf(block.draws[row])));
  }
  return column.Finish(block.validity[static_cast<size_t>(Kind::kBid)]);
}

Column MakeUrl(const EventBlock& block) {
  constexpr size_t kBytesExpected = 68;
  const auto& rows = block.RowsOf(Kind::kBid);
  TextColumn column(block.size(), rows.size() * kBytesExpected + Channels::kUrlRoom);
  for (const uint32_t row : rows) {
    const size_t index = Channels::IndexOf(block.draws[row]);
    column.Set(row, block.channels.WriteUrl(index, column.Room(Channels::kUrlRoom)));
  }
  return column.Finish(block.validity[static_cast<size_t>(Kind::kBid)]);
}

Column MakeBidExtra(const EventBlock& block) {
  constexpr size_t kNumbers = 4;
  return Extras(block, Kind::kBid, kBidBytes, [](const Draws&) { return kNumbers * kNumberBytes; });
}

}  // namespace

std::span<const EventColumn> AllColumns() {
  constexpr Kind kPerson = Kind::kPerson;
  constexpr Kind kAuction = Kind::kAuction;
  constexpr Kind kBid = Kind::kBid;
  static const std::array kColumns = {
      EventColumn{"event_type", "", DataType::Of(TypeId::kInt32), true, kPerson, MakeEventType},
      EventColumn{"date_time", "", kTimestamp, true, kPerson, MakeDateTime},
      EventColumn{"person_id", "id", kBigint, false, kPerson, MakePersonId},
      EventColumn{"person_name", "name", kText, false, kPerson, MakePersonText<AppendPersonName>},
      EventColumn{"person_email_address", "emailAddress", kText, false, kPerson,
                  MakePersonText<AppendEmailAddress>},
      EventColumn{"person_credit_card", "creditCard", kText, false, kPerson,
                  MakePersonText<AppendCreditCard>},
      EventColumn{"person_city", "city", kText, false, kPerson,
                  MakePersonText<AppendChosen<CityOf>>},
      EventColumn{"person_state", "state", kText, false, kPerson,
                  MakePersonText<AppendChosen<StateOf>>},
      EventColumn{"person_date_time", "dateTime", kTimestamp, false, kPerson, MakeTimeOf<kPerson>},
      EventColumn{"person_extra", "extra", kText, false, kPerson, MakePersonExtra},
      EventColumn{"auction_id", "id", kBigint, false, kAuction, MakeAuctionId},
      EventColumn{"auction_item_name", "itemName", kText, false, kAuction,
                  MakeAuctionText<AppendItemName>},
      EventColumn{"auction_description", "description", kText, false, kAuction,
                  MakeAuctionText<AppendDescription>},
      EventColumn{"auction_initial_bid", "initialBid", kBigint, false, kAuction, MakeInitialBid},
      EventColumn{"auction_reserve", "reserve", kBigint, false, kAuction, MakeReserve},
      EventColumn{"auction_date_time", "dateTime", kTimestamp, false, kAuction,
                  MakeTimeOf<kAuction>},
      EventColumn{"auction_expires", "expires", kTimestamp, false, kAuction, MakeExpires},
      EventColumn{"auction_seller", "seller", kBigint, false, kAuction, MakeSeller},
      EventColumn{"auction_category", "category", kBigint, false, kAuction, MakeCategory},
      EventColumn{"auction_extra", "extra", kText, false, kAuction, MakeAuctionExtra},
      EventColumn{"bid_auction", "auction", kBigint, false, kBid, MakeBidAuction},
      EventColumn{"bid_bidder", "bidder", kBigint, false, kBid, MakeBidder},
      EventColumn{"bid_price", "price", kBigint, false, kBid, MakePrice},
      EventColumn{"bid_channel", "channel", kText, false, kBid, MakeChannel},
      EventColumn{"bid_url", "url", kText, false, kBid, MakeUrl},
      EventColumn{"bid_date_time", "dateTime", kTimestamp, false, kBid, MakeTimeOf<kBid>},
      EventColumn{"bid_extra", "extra", kText, false, kBid, MakeBidExtra},
  };
  return kColumns;
}

const EventColumn* FindColumn(std::string_view name) {
  const auto columns = AllColumns();
  const auto found = std::ranges::find(columns, name, &EventColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

SchemaPtr FullSchema() {
  std::vector<Field> fields;
  for (const EventColumn& column : AllColumns()) {
    fields.push_back({.name = std::string(column.name), .type = column.type});
  }
  return MakeSchema(std::move(fields));
}

NexmarkRows::NexmarkRows(SchemaPtr schema, const NexmarkOptions& options)
    : schema_(std::move(schema)),
      options_(options),
      events_(options),
      mixed_seed_(MixSeed(options.seed)),
      channels_(mixed_seed_) {
  for (const Field& field : schema_->fields()) {
    const EventColumn* const column = FindColumn(field.name);
    MR_CHECK(column != nullptr && column->type == field.type, "column {}", field.name);
    columns_.push_back(column);
  }
}

BatchPtr NexmarkRows::Make(uint64_t first, size_t count) {
  EventBlock block{.events = events_,
                   .channels = channels_,
                   .shifted_bidders = options_.shifted_bidders,
                   .numbers = std::vector<uint64_t>(count),
                   .draws = std::vector<Draws>(count),
                   .rows = {},
                   .validity = {}};
  std::array<std::vector<uint64_t>, 3> valid;
  valid.fill(std::vector<uint64_t>(WordsForBits(count)));
  for (uint32_t row = 0; row < count; ++row) {
    const uint64_t event = events_.EventOf(first + row);
    block.numbers[row] = event;
    block.draws[row] = Draws(mixed_seed_, event);
    const auto kind = static_cast<size_t>(Events::KindOf(event));
    block.rows[kind].push_back(row);
    SetBit(valid[kind].data(), row);
  }
  for (size_t kind = 0; kind < valid.size(); ++kind) {
    block.validity[kind] = Buffer::Own(std::move(valid[kind]));
  }
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (const EventColumn* column : columns_) {
    columns.push_back(column->make(block));
  }
  return Batch::Make(schema_, std::move(columns), count);
}

Micros NexmarkRows::EarliestFrom(uint64_t first) const {
  return events_.TimeOf(events_.EarliestEventFrom(first));
}

}  // namespace millrace::nexmark
