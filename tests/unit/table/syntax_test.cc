#include "table/syntax.h"

#include <fcntl.h>

#include "support.h"
#include "sys/file.h"
#include "table/source_lines.h"

namespace postrider::table {
namespace {

using SourceFile = TableTest;

TEST_F(SourceFile, IsReadInPartsAsIfItWereOne) {
  std::string content = "# begin\n";
  for (int i = 0; i < 50'000; ++i) {
    content += "key" + std::to_string(i) + " value\n" + (i % 3 == 0 ? "  more\n" : "") +
               (i % 5 == 0 ? "# c\n\n" : "");
  }
  auto fd = sys::open_file(write("x", content), O_RDONLY);
  SourceLines parts(fd->get());
  LogicalLines whole(content);
  while (auto expected = whole.next()) {
    auto line = parts.next();
    ASSERT_TRUE(line && *line);
    ASSERT_EQ((*line)->text, expected->text);
    ASSERT_EQ((*line)->first, expected->first);
    ASSERT_EQ((*line)->last, expected->last);
  }
  EXPECT_FALSE(parts.next().value());
}

TEST_F(SourceFile, MayBeEmptyOrEndWithoutNewline) {
  auto empty = sys::open_file(write("x", ""), O_RDONLY);
  EXPECT_FALSE(SourceLines(empty->get()).next().value());
  auto open = sys::open_file(write("y", "a b\n  c"), O_RDONLY);
  EXPECT_EQ(SourceLines(open->get()).next().value()->text, "a b  c");
}

TEST_F(SourceFile, AnEndlessLineIsRefused) {
  auto fd = sys::open_file(write("x", std::string(SourceLines::kMaxLine + 300'000, 'x')), O_RDONLY);
  auto line = SourceLines(fd->get()).next();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().kind, ErrorKind::limit);
}

TEST(LogicalLines, ANullByteEndsTheLineWithItsContinuations) {
  using namespace std::string_view_literals;
  LogicalLines lines("a b\0c\n  d\ne"sv);
  EXPECT_EQ(lines.next()->text, "a b");
  EXPECT_EQ(lines.next()->text, "e");
}

TEST(LogicalLines, TheWarningForALineThatContinuesNothing) {
  EXPECT_EQ(indented_line_warning("x", "  lead"),
            "x: logical line must not start with whitespace: \"  lead\"");
}

TEST(Entries, KeyEndsAtWhiteSpaceOutsideOfQuotes) {
  EXPECT_EQ(parse_entry("a  b c  ", true)->value, "b c");
  EXPECT_EQ(parse_entry("\"a b\" c", true)->key, "\"a b\"");
  EXPECT_EQ(parse_entry("\"a\\\" b\" c", true)->key, "\"a\\\" b\"");
}

TEST(Entries, FaultsAreTold) {
  EXPECT_EQ(parse_entry("novalue", true).error(), LineFault::no_value);
  EXPECT_EQ(parse_entry("\"open x", true).error(), LineFault::unbalanced_quote);
  EXPECT_EQ(parse_entry("k \xc3", true).error(), LineFault::not_utf8);
  EXPECT_TRUE(parse_entry("k \xc3", false));
}

TEST(Items, KeepBracedTextTogether) {
  std::string_view rest = " a, {b c} {d}{e} f{g h}";
  std::vector<std::string> items;
  while (auto item = next_item(rest))
    items.emplace_back(*item);
  EXPECT_THAT(items, testing::ElementsAre("a", "{b c}", "{d}{e}", "f{g h}"));
}

}  // namespace
}  // namespace postrider::table
