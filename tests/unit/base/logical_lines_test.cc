#include "base/logical_lines.h"

#include <vector>

#include <gtest/gtest.h>

namespace postrider {
namespace {

std::vector<LogicalLine> lines_of(std::string_view text) {
  std::vector<LogicalLine> out;
  LogicalLines lines(text);
  while (auto line = lines.next())
    out.push_back(*line);
  return out;
}

TEST(LogicalLines, ContinuationsCommentsAndBlankLines) {
  std::string_view text = "# c\na\n  b\n # d\n\n c\n\nd\n# end\n";
  auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text, "a  b c");
  EXPECT_EQ(lines[0].first, 2);
  EXPECT_EQ(lines[0].last, 6);
  EXPECT_EQ(text.substr(lines[0].begin, lines[0].end - lines[0].begin), "a\n  b\n # d\n\n c\n");
  EXPECT_EQ(lines[1].text, "d");
  EXPECT_EQ(lines[1].first, 8);
}

TEST(LogicalLines, AnIndentedFirstLineIsMarked) {
  auto lines = lines_of("  a\nb");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].indented);
  EXPECT_FALSE(lines[1].indented);
  EXPECT_EQ(lines[1].end, 5u);
}

TEST(LogicalLines, NothingInEmptyTexts) {
  for (std::string_view text : {"", "\n", "# a", "   \n\t\n"})
    EXPECT_TRUE(lines_of(text).empty()) << text;
}

TEST(LogicalLines, CarriageReturnsAreText) {
  EXPECT_EQ(lines_of("a\r\n")[0].text, "a\r");
}

}  // namespace
}  // namespace postrider
