#include "base/casefold.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(Casefold, LowersAsciiLetters) {
  EXPECT_EQ(casefold("User+Ext@EXAMPLE.com"), "user+ext@example.com");
  EXPECT_EQ(casefold(""), "");
}

TEST(Casefold, FoldsLettersOfOtherScripts) {
  EXPECT_EQ(casefold("\u00c4\u00d6\u00dc"), "\u00e4\u00f6\u00fc");
  EXPECT_EQ(casefold("\u0391\u03a3\u03c2"), "\u03b1\u03c3\u03c3");
  EXPECT_EQ(casefold("\u0141\u0142"), "\u0142\u0142");
  EXPECT_EQ(casefold("\U00010400"), "\U00010428");
}

TEST(Casefold, ExpandsWhatFoldsToSeveralLetters) {
  EXPECT_EQ(casefold("Stra\u00dfe"), "strasse");
  EXPECT_EQ(casefold("\u1e9e"), "ss");
  EXPECT_EQ(casefold("\ufb03"), "ffi");
}

TEST(Casefold, LeavesWhatHasNoCase) {
  EXPECT_EQ(casefold("\u65e5\u672c"), "\u65e5\u672c");
  EXPECT_EQ(casefold("\u0101"), "\u0101");
}

TEST(Casefold, LeavesMalformedBytesAlone) {
  EXPECT_EQ(casefold("A\xc3"), "a\xc3");
  EXPECT_EQ(casefold("A\xff\u00c4\xc3"), "a\xff\u00e4\xc3");
}

}  // namespace
}  // namespace postrider
