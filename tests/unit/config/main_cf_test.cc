#include "config/main_cf.h"

#include <gtest/gtest.h>

namespace postrider::config {
namespace {

std::string entries(std::string_view text) {
  auto file = parse_main_cf(text, "/etc/main.cf");
  if (!file) return "error: " + file.error().text;
  std::string out;
  for (const auto& entry : file->entries)
    out += std::to_string(entry.line) + ":" + entry.name + "=" + entry.value + "\n";
  for (const auto& warning : file->warnings)
    out += "warning: " + warning + "\n";
  return out;
}

TEST(MainCf, EntriesCommentsAndBlankLines) {
  EXPECT_EQ(entries("# comment\n\na = b\n  # indented comment\nc=d=e\nempty =\n"),
            "3:a=b\n5:c=d=e\n6:empty=\n");
}

TEST(MainCf, IndentedLinesContinueAlsoAfterCommentsAndBlankLines) {
  EXPECT_EQ(entries("a=b\n# x\n c\n#y\n\n  d\ne=f\n"), "1:a=b c  d\n7:e=f\n");
}

TEST(MainCf, TheLastLineNeedsNoNewline) {
  EXPECT_EQ(entries("a = b"), "1:a=b\n");
}

TEST(MainCf, ANulByteEndsTheTextOfItsLine) {
  EXPECT_EQ(entries(std::string_view("a = b\0c\nd = e\n", 14)), "1:a=b\n2:d=e\n");
}

TEST(MainCf, LaterEntriesWinWithAWarning) {
  EXPECT_EQ(entries("a = b\nx = y\na = c\n"),
            "1:a=b\n2:x=y\n3:a=c\nwarning: /etc/main.cf, line 3: overriding earlier entry: a=b\n");
}

TEST(MainCf, RepeatingAValueIsNoWarning) {
  EXPECT_EQ(entries("a = b\na=b\n"), "1:a=b\n2:a=b\n");
}

TEST(MainCf, AFileThatBeginsIndentedLosesThatLine) {
  EXPECT_EQ(entries(" a = 123456789012345678901234567890\nb = c\n"),
            "2:b=c\nwarning: /etc/main.cf: logical line must not start with whitespace: "
            "\" a = 1234567890123456789012345...\"\n");
}

TEST(MainCf, ErrorsNameFileAndLine) {
  EXPECT_EQ(entries("a=b\n\nfoo\n bar\n"),
            "error: /etc/main.cf, line 3: missing '=' after attribute name: \"foo bar\"");
  EXPECT_EQ(entries("= bar\n"), "error: /etc/main.cf, line 1: missing attribute name: \"= bar\"");
  EXPECT_EQ(entries("my origin = a\n"),
            "error: /etc/main.cf, line 1: missing '=' after attribute name: \"my origin = a\"");
}

}  // namespace
}  // namespace postrider::config
