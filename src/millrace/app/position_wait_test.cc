#include "millrace/app/position_wait.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

/// sums and counts read clicks; both reads sums and orders; top reads counts and clicks.
class PositionWaitTest : public ::testing::Test {
 protected:
  PositionWait Make(const std::vector<std::string>& relations, std::string_view text) {
    auto wait = PositionWait::Make(relations, text, frontier_);
    EXPECT_TRUE(wait) << wait.error().ToString();
    return wait.value_or(PositionWait());
  }
  bool Reached(PositionWait& wait) { return wait.Reached(frontier_); }

  std::map<std::string, std::vector<std::string>> inputs_{{"sums", {"clicks"}},
                                                          {"counts", {"clicks"}},
                                                          {"both", {"sums", "orders"}},
                                                          {"top", {"counts", "clicks"}}};
  std::map<std::pair<std::string, std::string>, int64_t> read_;
  std::map<std::string, int64_t> end_;
  std::map<std::string, uint32_t> numbers_{{"sums", 7}, {"counts", 8}};
  ViewFrontier frontier_{
      .inputs = [this](const std::string& view) { return inputs_[view]; },
      .read =
          [this](const std::string& view, const std::string& input) {
            return std::vector{Offset(read_[{view, input}]), Offset(0)};
          },
      .stream = [this](const std::string& relation) -> std::optional<StreamId> {
        const auto number = numbers_.find(relation);
        return number == numbers_.end() ? std::nullopt : std::optional(StreamId(number->second));
      },
      .end =
          [this](const std::string& relation) {
            return std::vector{Offset(end_[relation]), Offset(0)};
          },
  };
};

TEST_F(PositionWaitTest, WaitsForAnInputOfAView) {
  PositionWait wait = Make({"sums"}, "0:3");
  EXPECT_FALSE(Reached(wait));
  read_[{"sums", "clicks"}] = 2;
  EXPECT_FALSE(Reached(wait));
  read_[{"sums", "clicks"}] = 3;
  EXPECT_TRUE(Reached(wait));
  PositionWait nothing = Make({"sums"}, "");
  EXPECT_TRUE(Reached(nothing));
}

TEST_F(PositionWaitTest, KnowsWhichStreamOfAViewIsMeant) {
  PositionWait wait = Make({"both"}, "sums@7/0:3");
  EXPECT_FALSE(Reached(wait));
  read_[{"both", "sums"}] = 3;
  EXPECT_TRUE(Reached(wait));
  const auto stale = PositionWait::Make({"both"}, "sums@6/0:3", frontier_);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_FALSE(PositionWait::Make({"both"}, "none@6/0:3", frontier_));
  // Who waits while the view is replaced has waited enough.
  PositionWait waiting = Make({"both"}, "sums@7/0:5");
  EXPECT_FALSE(Reached(waiting));
  numbers_["sums"] = 9;
  ASSERT_TRUE(waiting.Renew(frontier_));
  EXPECT_TRUE(Reached(waiting));
}

TEST_F(PositionWaitTest, WaitsForWhatTheInnerViewHadPutOutAndNotForMore) {
  PositionWait wait = Make({"both"}, "clicks/0:3");
  end_["sums"] = 5;
  read_[{"both", "sums"}] = 5;
  EXPECT_FALSE(Reached(wait));  // The inner view has not read it.
  read_[{"sums", "clicks"}] = 3;
  end_["sums"] = 7;
  EXPECT_FALSE(Reached(wait));
  end_["sums"] = 9;  // Later output is not waited for.
  read_[{"both", "sums"}] = 6;
  EXPECT_FALSE(Reached(wait));
  read_[{"both", "sums"}] = 7;
  EXPECT_TRUE(Reached(wait));
}

TEST_F(PositionWaitTest, WaitsOnAllWaysOfAStream) {
  PositionWait wait = Make({"top"}, "0:3");
  read_[{"counts", "clicks"}] = 3;
  end_["counts"] = 1;
  read_[{"top", "counts"}] = 1;
  EXPECT_FALSE(Reached(wait));
  read_[{"top", "clicks"}] = 3;
  EXPECT_TRUE(Reached(wait));
}

TEST_F(PositionWaitTest, TakesPositionsOfViewsAndOfSeveralRelations) {
  PositionWait wait = Make({"both", "top"}, "sums/0:2;orders/0:4");
  read_[{"both", "sums"}] = 2;
  EXPECT_FALSE(Reached(wait));
  read_[{"both", "orders"}] = 4;
  EXPECT_TRUE(Reached(wait));
  // Of what the query itself reads: there as soon as it can be read.
  PositionWait own = Make({"orders"}, "0:4");
  EXPECT_FALSE(Reached(own));
  end_["orders"] = 4;
  EXPECT_TRUE(Reached(own));
}

TEST_F(PositionWaitTest, RefusesPositionsThatFitNothing) {
  for (const auto& [relations, text] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"both"}, "0:3"},         // clicks or orders?
           {{"sums"}, "orders/0:3"},  // Not behind it.
           {{"sums"}, "missing/0:3"},
           {{"sums"}, "clicks"},
           {{"sums"}, "clicks/2:3"},  // There are two partitions.
           {{}, "0:3"}}) {
    const auto wait = PositionWait::Make(relations, text, frontier_);
    ASSERT_FALSE(wait) << text;
    EXPECT_EQ(wait.error().code(), ErrorCode::kHttpBadRequest);
  }
  EXPECT_EQ(PositionWait::Make({"both"}, "0:3", frontier_).error().hint(),
            "put its name in front, as in clicks/0:12,1:5");
}

}  // namespace
}  // namespace millrace
