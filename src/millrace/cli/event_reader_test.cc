#include "millrace/cli/event_reader.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kStream =
    ": heartbeat\n\nevent: change\nid: 0:1\ndata: {\"a\":1}\n\n"
    "data: two\r\ndata:  lines\r\n\r\nevent: gap\ndata\n\n";

TEST(EventReader, ReadsEventsFromPiecesOfAnySize) {
  for (size_t size = 1; size <= kStream.size(); ++size) {
    EventReader reader;
    std::string seen;
    ServerEvent event;
    for (size_t at = 0; at < kStream.size(); at += size) {
      reader.Add(kStream.substr(at, size));
      while (reader.Next(event)) {
        seen += event.type + "|" + event.id + "|" + event.data + ";";
      }
    }
    EXPECT_EQ(seen, "change|0:1|{\"a\":1};message|0:1|two\n lines;gap|0:1|;") << size;
  }
}

TEST(EventReader, WaitsForTheEndOfAnEvent) {
  EventReader reader;
  ServerEvent event;
  reader.Add("data: x\n");
  EXPECT_FALSE(reader.Next(event));
  reader.Add("\n");
  EXPECT_TRUE(reader.Next(event));
  EXPECT_FALSE(reader.Next(event));
}

}  // namespace
}  // namespace millrace
