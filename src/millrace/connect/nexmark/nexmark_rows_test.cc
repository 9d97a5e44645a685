#include "millrace/connect/nexmark/nexmark_rows.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/codec/json_encoder.h"
#include "millrace/connect/nexmark/nexmark_json.h"
#include "millrace/data/value.h"

namespace millrace::nexmark {
namespace {

using ::testing::ElementsAre;

NexmarkOptions Options() { return {.event_rate = 1000, .base_time = "2026-01-01T00:00:00Z"}; }

std::vector<std::string> Rows(const Batch& batch) {
  const RowJsonWriter writer(batch.schema());
  std::vector<std::string> rows(batch.rows());
  for (size_t row = 0; row < rows.size(); ++row) {
    writer.Append(batch, row, rows[row]);
  }
  return rows;
}

/// The rows of one kind of the first `count` events, as numbers of one column.
std::vector<int64_t> Numbers(const std::string& column, size_t count,
                             const NexmarkOptions& options = Options()) {
  const EventColumn* const found = FindColumn(column);
  const SchemaPtr schema = MakeSchema({{.name = column, .type = found->type}});
  const BatchPtr batch = NexmarkRows(schema, options).Make(0, count);
  std::vector<int64_t> numbers;
  for (size_t row = 0; row < count; ++row) {
    if (!batch->column(0).IsNull(row)) {
      numbers.push_back(batch->column(0).Values<int64_t>()[row]);
    }
  }
  return numbers;
}

std::vector<std::string> Texts(const std::string& column, size_t count) {
  const SchemaPtr schema = MakeSchema({{.name = column, .type = DataType::Of(TypeId::kText)}});
  const BatchPtr batch = NexmarkRows(schema, Options()).Make(0, count);
  std::vector<std::string> texts;
  for (size_t row = 0; row < count; ++row) {
    if (!batch->column(0).IsNull(row)) {
      texts.emplace_back(batch->column(0).Text(row));
    }
  }
  return texts;
}

TEST(NexmarkEvents, NumbersPersonsAndAuctionsInCyclesOfFifty) {
  std::map<Kind, int> kinds;
  for (uint64_t event = 0; event < 500; ++event) {
    ++kinds[Events::KindOf(event)];
  }
  EXPECT_EQ(kinds,
            (std::map<Kind, int>{{Kind::kPerson, 10}, {Kind::kAuction, 30}, {Kind::kBid, 460}}));
  EXPECT_EQ(Events::LastPerson(49), 0);
  EXPECT_EQ(Events::LastPerson(50), 1);
  EXPECT_EQ(Events::LastAuction(0), -1);
  EXPECT_EQ(Events::LastAuction(1), 0);
  EXPECT_EQ(Events::LastAuction(3), 2);
  EXPECT_EQ(Events::LastAuction(49), 2);
  EXPECT_EQ(Events::LastAuction(50), 2);
  EXPECT_EQ(Events::LastAuction(52), 4);
}

TEST(NexmarkEvents, SpacesTimesByTheRate) {
  NexmarkOptions options = Options();
  options.event_rate = 3;
  const Events slow(options);
  EXPECT_EQ(slow.TimeOf(1) - slow.TimeOf(0), 333'000);
  EXPECT_EQ(slow.TimeOf(3) - slow.TimeOf(0), 1'000'000);
  options.event_rate = 10'000'000;
  const Events fast(options);
  EXPECT_EQ(fast.TimeOf(9'999) - fast.TimeOf(0), 0);
  EXPECT_EQ(fast.TimeOf(100'000'000) - fast.TimeOf(0), 10'000'000);
}

TEST(NexmarkEvents, MixesTheOrderWithinGroups) {
  NexmarkOptions options = Options();
  options.out_of_order_group = 10;
  const Events events(options);
  std::vector<uint64_t> order;
  for (uint64_t row = 20; row < 30; ++row) {
    order.push_back(events.EventOf(row));
    EXPECT_EQ(events.EarliestEventFrom(row), 20U);
  }
  EXPECT_THAT(order, ElementsAre(20, 23, 26, 29, 22, 25, 28, 21, 24, 27));
}

TEST(NexmarkRows, GivesTheSameRowHoweverItIsMade) {
  for (const uint64_t group : {1U, 7U}) {
    NexmarkOptions options = Options();
    options.out_of_order_group = group;
    NexmarkRows all(FullSchema(), options);
    const std::vector<std::string> rows = Rows(*all.Make(0, 300));
    NexmarkRows again(FullSchema(), options);
    for (const size_t row : {299U, 0U, 50U, 51U, 54U, 123U}) {
      EXPECT_EQ(Rows(*again.Make(row, 1)).front(), rows[row]);
    }
    const BatchPtr part = again.Make(100, 200);
    for (const EventColumn& column : AllColumns()) {
      const SchemaPtr schema =
          MakeSchema({{.name = std::string(column.name), .type = column.type}});
      const BatchPtr alone = NexmarkRows(schema, options).Make(100, 200);
      const size_t index = *part->schema().Find(column.name);
      for (size_t row = 0; row < 200; ++row) {
        EXPECT_EQ(ValueAt(alone->column(0), row), ValueAt(part->column(index), row));
      }
    }
    options.seed = 2;
    EXPECT_NE(Rows(*NexmarkRows(FullSchema(), options).Make(0, 1)).front(), rows[0]);
  }
}

TEST(NexmarkRows, HasTheFieldsOfItsKindAndNoOthers) {
  const BatchPtr batch = NexmarkRows(FullSchema(), Options()).Make(0, 1000);
  const auto types = batch->column(0).Values<int32_t>();
  for (size_t row = 0; row < batch->rows(); ++row) {
    for (size_t i = 0; i < AllColumns().size(); ++i) {
      const EventColumn& column = AllColumns()[i];
      const bool expected = column.of_all || types[row] == static_cast<int32_t>(column.kind);
      EXPECT_EQ(!batch->column(i).IsNull(row), expected) << column.name << " of row " << row;
    }
  }
}

TEST(NexmarkRows, NamesHotAndActiveIds) {
  constexpr size_t kEvents = 200'000;
  const auto bids = static_cast<double>(Numbers("bid_auction", kEvents).size());
  EXPECT_EQ(bids, kEvents * 0.92);
  size_t row = 0;
  size_t hot = 0;
  for (const int64_t auction : Numbers("bid_auction", kEvents)) {
    const auto last = static_cast<int64_t>(row / 46 * 3 + 2);
    hot += auction - 1000 == last / 100 * 100 ? 1 : 0;
    EXPECT_GE(auction - 1000, std::max<int64_t>(last - 100, 0));
    EXPECT_LE(auction - 1000, last + 10);
    ++row;
  }
  EXPECT_NEAR(static_cast<double>(hot) / bids, 0.5, 0.01);
  row = hot = 0;
  for (const int64_t bidder : Numbers("bid_bidder", kEvents)) {
    const auto last = static_cast<int64_t>(row / 46);
    hot += bidder - 1000 == last / 100 * 100 + 1 ? 1 : 0;
    EXPECT_GE(bidder - 1000, std::max<int64_t>(last - 999, 0));
    EXPECT_LE(bidder - 1000, last + 10);
    ++row;
  }
  EXPECT_NEAR(static_cast<double>(hot) / bids, 0.75, 0.01);
  row = hot = 0;
  const auto sellers = Numbers("auction_seller", kEvents);
  for (const int64_t seller : sellers) {
    const auto last = static_cast<int64_t>(row / 3);
    hot += seller - 1000 == last / 100 * 100 ? 1 : 0;
    ++row;
  }
  EXPECT_NEAR(static_cast<double>(hot) / static_cast<double>(sellers.size()), 0.75, 0.02);
  EXPECT_EQ(Numbers("auction_id", 300).front(), 1000);
  EXPECT_EQ(Numbers("auction_id", 300).back(), 1017);
  EXPECT_EQ(Numbers("person_id", 300).back(), 1005);
}

TEST(NexmarkRows, ShiftsBiddersOnDemand) {
  NexmarkOptions options = Options();
  const auto bidders = Numbers("bid_bidder", 500, options);
  options.shifted_bidders = true;
  auto shifted = Numbers("bid_bidder", 500, options);
  for (int64_t& bidder : shifted) {
    bidder -= 1000;
  }
  EXPECT_EQ(shifted, bidders);
}

TEST(NexmarkRows, SpreadsPricesCategoriesAndDurations) {
  constexpr size_t kEvents = 100'000;
  size_t low = 0;
  const auto prices = Numbers("bid_price", kEvents);
  for (const int64_t price : prices) {
    EXPECT_GE(price, 100);
    EXPECT_LE(price, 100'000'000);
    low += price < 100'000 ? 1 : 0;  // Half of the decades.
  }
  EXPECT_NEAR(static_cast<double>(low) / static_cast<double>(prices.size()), 0.5, 0.01);
  const auto categories = Numbers("auction_category", kEvents);
  EXPECT_EQ(std::set<int64_t>(categories.begin(), categories.end()),
            (std::set<int64_t>{10, 11, 12, 13, 14}));
  const auto begins = Numbers("auction_date_time", kEvents);
  const auto ends = Numbers("auction_expires", kEvents);
  double sum = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    EXPECT_GT(ends[i], begins[i]);
    EXPECT_LE(ends[i] - begins[i], 2 * 1'666'000);
    sum += static_cast<double>(ends[i] - begins[i]);
  }
  EXPECT_NEAR(sum / static_cast<double>(begins.size()), 1'666'000, 60'000);
  const auto initial = Numbers("auction_initial_bid", kEvents);
  const auto reserve = Numbers("auction_reserve", kEvents);
  for (size_t i = 0; i < initial.size(); ++i) {
    EXPECT_GE(reserve[i] - initial[i], 100);
  }
}

double MeanSize(const std::vector<std::string>& texts) {
  size_t size = 0;
  for (const std::string& text : texts) {
    size += text.size();
  }
  return static_cast<double>(size) / static_cast<double>(texts.size());
}

TEST(NexmarkRows, PadsEventsToTheirAverageSize) {
  const auto extras = Texts("bid_extra", 20'000);
  EXPECT_NEAR(MeanSize(extras), 100 - 32, 1);
  for (const std::string& extra : extras) {
    EXPECT_GE(extra.size(), 54U);
    EXPECT_LT(extra.size(), 82U);
    EXPECT_EQ(extra.find_first_not_of("HIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz"),
              std::string::npos);
  }
  const double auctions = MeanSize(Texts("auction_item_name", 50'000)) +
                          MeanSize(Texts("auction_description", 50'000)) +
                          MeanSize(Texts("auction_extra", 50'000)) + 48;
  EXPECT_NEAR(auctions, 500, 8);
  const double persons =
      MeanSize(Texts("person_name", 50'000)) + MeanSize(Texts("person_email_address", 50'000)) +
      MeanSize(Texts("person_credit_card", 50'000)) + MeanSize(Texts("person_city", 50'000)) +
      MeanSize(Texts("person_state", 50'000)) + MeanSize(Texts("person_extra", 50'000)) + 8;
  EXPECT_NEAR(persons, 200, 4);
}

TEST(NexmarkRows, NamesChannelsWithAUrlEach) {
  const auto channels = Texts("bid_channel", 50'000);
  const auto urls = Texts("bid_url", 50'000);
  std::map<std::string, std::string> by_channel;
  size_t hot = 0;
  size_t with_id = 0;
  for (size_t i = 0; i < channels.size(); ++i) {
    const bool numbered = channels[i].starts_with("channel-");
    hot += numbered ? 0 : 1;
    with_id += urls[i].find("&channel_id=") != std::string::npos ? 1 : 0;
    EXPECT_TRUE(urls[i].starts_with("https://www.nexmark.com/"));
    EXPECT_NE(urls[i].find("/item.htm?query=1"), std::string::npos);
    EXPECT_EQ(by_channel.try_emplace(channels[i], urls[i]).first->second, urls[i]);
  }
  const auto count = static_cast<double>(channels.size());
  EXPECT_NEAR(static_cast<double>(hot) / count, 0.5, 0.01);
  EXPECT_NEAR(static_cast<double>(with_id) / count, 0.45, 0.01);
  // The bits of 3 in reverse order, without their sign.
  const Channels all(MixSeed(1));
  for (size_t i = 4; i < 10'004; ++i) {
    if (all.name(i).inline_text() == "channel-3" &&
        all.url(i).find("&channel_id=") != std::string_view::npos) {
      EXPECT_TRUE(all.url(i).ends_with("&channel_id=1073741824"));
    }
  }
}

TEST(NexmarkJson, WritesEventsAsTheOriginalDoes) {
  std::string lines;
  AppendJsonLines(*NexmarkRows(FullSchema(), Options()).Make(0, 5), lines);
  EXPECT_THAT(lines, testing::StartsWith(R"({"event_type":0,"person":{"id":1000,"name":")"));
  EXPECT_THAT(lines, testing::HasSubstr(R"("dateTime":"2026-01-01 00:00:00.001","expires":")"));
  EXPECT_THAT(lines, testing::HasSubstr(
                         R"({"event_type":2,"person":null,"auction":null,"bid":{"auction":)"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 5);
}

}  // namespace
}  // namespace millrace::nexmark
