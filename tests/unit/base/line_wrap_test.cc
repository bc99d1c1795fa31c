#include "base/line_wrap.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(LineWrap, ShortLinesStay) {
  EXPECT_EQ(wrap_line("", 10, 4), "");
  EXPECT_EQ(wrap_line("one two", 10, 4), "one two");
  EXPECT_EQ(wrap_line("0123456789", 10, 4), "0123456789");
  EXPECT_EQ(wrap_line("trailing  \t", 20, 4), "trailing");
}

TEST(LineWrap, LongLinesAreCutBetweenWords) {
  EXPECT_EQ(wrap_line("one two three", 10, 4), "one two\n    three");
  EXPECT_EQ(wrap_line("one two three four five", 10, 4), "one two\n    three\n    four\n    five");
  EXPECT_EQ(wrap_line("a b c d e f g h", 7, 2), "a b c d\n  e f g\n  h");
}

TEST(LineWrap, LongWordsStandAlone) {
  EXPECT_EQ(wrap_line("0123456789012 a", 10, 4), "0123456789012\n    a");
  EXPECT_EQ(wrap_line("a 0123456789012 b", 10, 4), "a\n    0123456789012\n    b");
}

TEST(LineWrap, SeveralBlanksBetweenWordsAreKept) {
  EXPECT_EQ(wrap_line("a  b", 10, 4), "a  b");
  EXPECT_EQ(wrap_line("one  two  three", 10, 4), "one  two\n    three");
}

TEST(LineWrap, SillyWidths) {
  EXPECT_EQ(wrap_line("a b c", 1, 4), "a\n    b\n    c");
  EXPECT_EQ(wrap_line("a b", 0, 0), "a\nb");
}

}  // namespace
}  // namespace postrider
