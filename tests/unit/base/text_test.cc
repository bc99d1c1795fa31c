#include "base/text.h"

#include <gtest/gtest.h>

#include "base/casefold.h"
#include "base/utf8_text.h"

namespace postrider {
namespace {

using Views = std::vector<std::string_view>;

TEST(Text, SplitAnyDropsEmptyPieces) {
  EXPECT_EQ(split_any(" a,, b\tc ", kListSeparators), (Views{"a", "b", "c"}));
  EXPECT_TRUE(split_any(" , ", kListSeparators).empty());
}

TEST(Text, SplitEachKeepsEmptyPieces) {
  EXPECT_EQ(split_each("a::b:", ':'), (Views{"a", "", "b", ""}));
  EXPECT_EQ(split_each("", ':'), (Views{""}));
}

TEST(Text, SplitBracedKeepsBracedPiecesWhole) {
  EXPECT_EQ(split_braced("a {b c {d e}} f", " "), (Views{"a", "{b c {d e}}", "f"}));
  EXPECT_EQ(split_braced("x {never closed", " "), (Views{"x", "{never closed"}));
  EXPECT_EQ(split_braced("inline:{b, c} }d e", ", "), (Views{"inline:{b, c}", "}d", "e"}));
}

TEST(Text, NextTokenLeavesTheRest) {
  std::string_view rest = "  one two";
  EXPECT_EQ(next_token(rest, " "), "one");
  EXPECT_EQ(rest, "two");
  EXPECT_EQ(next_token(rest, " "), "two");
  EXPECT_FALSE(next_token(rest, " ").has_value());
}

TEST(Text, ParseIntTakesTheWholeText) {
  EXPECT_EQ(parse_int("-12"), -12);
  EXPECT_EQ(parse_int("+12"), 12);
  EXPECT_FALSE(parse_int("12x").has_value());
  EXPECT_FALSE(parse_int("").has_value());
  EXPECT_FALSE(parse_int("99999999999999999999").has_value());
}

TEST(Text, PrintableReplacesControlsAndBrokenUtf8) {
  EXPECT_EQ(printable("a\r\nb\x7f"), "a??b?");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3"), "gr\xc3\xbc?");
  EXPECT_EQ(printable_ascii("gr\xc3\xbc"), "gr??");
}

TEST(Text, Utf8CanBeSwitchedOff) {
  use_utf8_text(false);
  EXPECT_EQ(printable("a\xc3\xb6"), "a??");
  EXPECT_EQ(casefold("A\xc3\x96"), "a\xc3\x96");
  use_utf8_text(true);
  EXPECT_EQ(printable("a\xc3\xb6"), "a\xc3\xb6");
  EXPECT_EQ(casefold("A\xc3\x96"), "a\xc3\xb6");
}

TEST(Text, Utf8RejectsOverlongAndSurrogates) {
  EXPECT_TRUE(is_valid_utf8("\xf0\x9f\x93\xae"));
  EXPECT_FALSE(is_valid_utf8("\xc0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xe2\x82"));
}

TEST(Text, UnescapedReadsCForms) {
  EXPECT_EQ(unescaped("a\\r\\n\\\\\\001\\3777\\0x\\z\\"), std::string("a\r\n\\\x01\xff"
                                                                      "7\0xz\\",
                                                                      11));
}
TEST(Text, EscapedUsesCForms) {
  EXPECT_EQ(escaped("a\r\n\\\x01\xff"), "a\\r\\n\\\\\\001\\377");
}

TEST(Text, ReplaceAllReplacesEveryOccurrence) {
  EXPECT_EQ(replace_all("aXbXX", "X", "--"), "a--b----");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
}

TEST(Text, CaseHelpersAreAsciiOnly) {
  EXPECT_TRUE(equals_ignore_case("MiXed", "mIxED"));
  EXPECT_FALSE(equals_ignore_case("abc", "ab"));
  EXPECT_TRUE(ends_with_ignore_case("host.EXAMPLE", ".example"));
  EXPECT_EQ(lowercase("\xc3\x9cX"), "\xc3\x9cx");
}

}  // namespace
}  // namespace postrider
