#include "table/syntax.h"

#include <fcntl.h>

#include "support.h"
#include "sys/file.h"

namespace postrider::table {
namespace {

struct Seen {
  int number;
  std::string text;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> walk(LogicalLines& lines) {
  std::vector<Seen> out;
  while (auto line = lines.next())
    out.push_back({line->number, std::string(line->text)});
  return out;
}

std::vector<Seen> walk(std::string_view text) {
  LogicalLines lines(text);
  return walk(lines);
}

TEST(LogicalLines, JoinsContinuationsAcrossCommentsAndEmptyLines) {
  EXPECT_EQ(walk("# c\nkey1 a\n\n  # c\n \n  b\n\tc\nkey2 d"),
            (std::vector<Seen>{{2, "key1 a  b\tc"}, {8, "key2 d"}}));
}

TEST(LogicalLines, EmptyInputHasNone) {
  EXPECT_TRUE(walk("").empty());
  EXPECT_TRUE(walk("\n \n#x\n").empty());
}

TEST(LogicalLines, AFirstLineThatContinuesNothingIsMarked) {
  LogicalLines lines("  a\nb");
  EXPECT_TRUE(lines.next()->indented);
  EXPECT_FALSE(lines.next()->indented);
  EXPECT_EQ(indented_line_warning("x", "  lead"),
            "x: logical line must not start with whitespace: \"  lead\"");
}

TEST(LogicalLines, ANullByteEndsTheLine) {
  using namespace std::string_view_literals;
  EXPECT_EQ(walk("a b\0c\nd"sv), (std::vector<Seen>{{1, "a b"}, {2, "d"}}));
}

using LogicalFile = TableTest;

TEST_F(LogicalFile, ReadsAFileAsItReadsText) {
  std::string content;
  for (int i = 0; i < 100'000; ++i)
    content += "key" + std::to_string(i) + " value\n  more\n";
  auto fd = sys::open_file(write("x", content), O_RDONLY);
  LogicalLines lines(fd->get());
  EXPECT_EQ(walk(lines), walk(content));
  EXPECT_FALSE(lines.error());
}

TEST_F(LogicalFile, RefusesAnEndlessLine) {
  auto fd = sys::open_file(write("x", std::string(LogicalLines::kMaxLine + 300'000, 'x')), O_RDONLY);
  LogicalLines lines(fd->get());
  EXPECT_FALSE(lines.next());
  ASSERT_TRUE(lines.error());
  EXPECT_EQ(lines.error()->kind, ErrorKind::limit);
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
