#include "smtp/reply.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace postrider::smtp {
namespace {

/// "code dsn text" of a reply given as lines.
std::string parse(std::string_view lines) {
  ReplyParser parser(2048);
  for (std::string_view line : split_each(lines, '\n')) {
    if (parser.add(line) == ReplyParser::Step::complete) {
      Reply reply = parser.take();
      return std::to_string(reply.code) + " " + reply.dsn + " " + reply.one_line();
    }
  }
  return "<incomplete>";
}

TEST(Reply, CodeStatusAndText) {
  EXPECT_EQ(parse("250 2.1.5 Ok"), "250 2.1.5 250 2.1.5 Ok");
  EXPECT_EQ(parse("550 plain text"), "550 5.0.0 550 plain text");
  EXPECT_EQ(parse("550"), "550 5.0.0 550");
  EXPECT_EQ(parse("550 "), "550 5.0.0 550 ");
  EXPECT_EQ(parse("550 5.7.2"), "550 5.7.2 550 5.7.2");
  EXPECT_EQ(parse("550   5.7.9 foo"), "550 5.7.9 550   5.7.9 foo");
}

TEST(Reply, TheLastOfSeveralLinesCounts) {
  EXPECT_EQ(parse("550-5.1.1 first\n550-5.1.1 second\n550 5.1.2 last"),
            "550 5.1.2 550-5.1.1 first 550-5.1.1 second 550 5.1.2 last");
  EXPECT_EQ(parse("450-4.1.1 a\n550 5.2.2 b"), "550 5.2.2 450-4.1.1 a 550 5.2.2 b");
  EXPECT_EQ(parse("250-more"), "<incomplete>");
}

TEST(Reply, StatusCodesThatDoNotFitTheReplyAreIgnored) {
  EXPECT_EQ(parse("550 4.1.1 x"), "550 5.0.0 550 4.1.1 x");
  EXPECT_EQ(parse("550 5.1 x"), "550 5.0.0 550 5.1 x");
  EXPECT_EQ(parse("550 5.1.1x foo"), "550 5.0.0 550 5.1.1x foo");
  EXPECT_EQ(parse("550 5.7.1234 foo"), "550 5.0.0 550 5.7.1234 foo");
  EXPECT_EQ(parse("354 2.0.0 go"), "354 5.5.0 354 2.0.0 go");
  EXPECT_EQ(parse("999 huh"), "999 5.5.0 999 huh");
}

TEST(Reply, GarbageBecomesPartOfTheText) {
  EXPECT_EQ(parse("5.1.1 no code\n2500 foo\n25 foo\n550?tab\n503 5.5.1 end"),
            "503 5.5.1 5.1.1 no code 2500 foo 25 foo 550?tab 503 5.5.1 end");
  ReplyParser parser(100);
  EXPECT_EQ(parser.add("what?"), ReplyParser::Step::garbage);
  EXPECT_EQ(parser.add(""), ReplyParser::Step::garbage);
  EXPECT_EQ(parser.add("250-x"), ReplyParser::Step::more);
}

TEST(Reply, LongTextIsCutAndTheCodeFound) {
  ReplyParser parser(100);
  int overflows = 0;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(parser.add("250-" + std::string(40, 'x')), ReplyParser::Step::more);
    overflows += parser.overflowed();
  }
  EXPECT_EQ(parser.add("550 5.1.1 end"), ReplyParser::Step::complete);
  EXPECT_EQ(overflows, 1);
  Reply reply = parser.take();
  EXPECT_EQ(reply.code, 550);
  EXPECT_EQ(reply.dsn, "5.1.1");
  EXPECT_LT(reply.text.size(), 150u);
}

TEST(Reply, LinesWithoutEndAreGivenUp) {
  ReplyParser parser(100);
  ReplyParser::Step step = ReplyParser::Step::more;
  int lines = 0;
  for (; step == ReplyParser::Step::more && lines < 5000; ++lines)
    step = parser.add("250-x");
  EXPECT_EQ(step, ReplyParser::Step::endless);
  EXPECT_EQ(lines, 1001);
}

TEST(Reply, AParserCanBeUsedAgain) {
  ReplyParser parser(100);
  EXPECT_EQ(parser.add("250 2.0.0 one"), ReplyParser::Step::complete);
  EXPECT_EQ(parser.take().text, "250 2.0.0 one");
  EXPECT_EQ(parser.add("550 two"), ReplyParser::Step::complete);
  EXPECT_EQ(parser.take().text, "550 two");
}

}  // namespace
}  // namespace postrider::smtp
