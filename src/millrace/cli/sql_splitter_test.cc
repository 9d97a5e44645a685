#include "millrace/cli/sql_splitter.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(SqlSplitter, CutsAtSemicolons) {
  SqlSplitter splitter;
  splitter.Add("SELECT 1; SELECT\n 2 ;\nSEL");
  EXPECT_EQ(splitter.Next(), "SELECT 1");
  EXPECT_EQ(splitter.Next(), "SELECT\n 2 ");
  EXPECT_EQ(splitter.Next(), std::nullopt);
  splitter.Add("ECT 3;");
  EXPECT_EQ(splitter.Next(), "SELECT 3");
  EXPECT_EQ(splitter.Rest(), "");
}

TEST(SqlSplitter, PassesOverQuotesAndComments) {
  SqlSplitter splitter;
  splitter.Add("SELECT 'a;''b;', \"c;d\" -- no; end\n, /* ; */ 1; x 'open; ");
  EXPECT_EQ(splitter.Next(), "SELECT 'a;''b;', \"c;d\" -- no; end\n, /* ; */ 1");
  EXPECT_EQ(splitter.Next(), std::nullopt);
  EXPECT_EQ(splitter.Rest(), "x 'open; ");
  EXPECT_EQ(splitter.Rest(), "");
}

TEST(SqlSplitter, LeavesOutWhatSaysNothing) {
  SqlSplitter splitter;
  splitter.Add(" ;; /* a */ ; -- b\n; SELECT 1; -- c");
  EXPECT_EQ(splitter.Next(), "SELECT 1");
  EXPECT_EQ(splitter.Next(), std::nullopt);
  EXPECT_EQ(splitter.Rest(), "");
  splitter.Add("/* open; ");
  EXPECT_EQ(splitter.Next(), std::nullopt);
  EXPECT_EQ(splitter.Rest(), "/* open; ");
}

}  // namespace
}  // namespace millrace
