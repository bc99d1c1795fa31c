#include "config/value_text.h"

#include <gtest/gtest.h>

#include "config/compat_level.h"

namespace postrider::config {
namespace {

int64_t seconds(std::string_view text, char unit = 's') {
  auto value = parse_time(text, unit);
  return value ? value->count() : -1;
}

TEST(ValueText, TimesHaveUnits) {
  EXPECT_EQ(seconds("5"), 5);
  EXPECT_EQ(seconds("5", 'h'), 18000);
  EXPECT_EQ(seconds("1m"), 60);
  EXPECT_EQ(seconds("2d"), 172800);
  EXPECT_EQ(seconds("1w"), 604800);
  EXPECT_EQ(seconds("+5"), 5);
  EXPECT_EQ(seconds("010"), 10);
}

TEST(ValueText, OddTimesThatPostfixAccepts) {
  EXPECT_EQ(seconds("5sx"), 5);
  EXPECT_EQ(seconds("s"), 0);
}

TEST(ValueText, BadTimes) {
  for (std::string_view text : {"", "5x", "-5", "1.5s", "1 h", "1H", "0x10", "+", "99999999999", "3551w"})
    EXPECT_EQ(seconds(text), -1) << text;
  EXPECT_EQ(seconds("2147483647"), 2147483647);
  EXPECT_EQ(seconds("2147483648"), -1);
}

TEST(ValueText, Numbers) {
  EXPECT_EQ(parse_number("010"), 10);
  EXPECT_EQ(parse_number("-1"), -1);
  for (std::string_view text : {"", "x", "5k", "5 6", "2147483648", "+-5", "5 "})
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  EXPECT_EQ(parse_size("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_size("9223372036854775808"), std::nullopt);
}

TEST(ValueText, Booleans) {
  EXPECT_EQ(parse_bool("YES"), true);
  EXPECT_EQ(parse_bool("no"), false);
  EXPECT_EQ(parse_bool("true"), std::nullopt);
  EXPECT_EQ(parse_bool(""), std::nullopt);
}

TEST(ValueText, WordMasks) {
  const std::string_view words[] = {"flock", "fcntl", "dotlock"};
  EXPECT_EQ(*parse_words("virtual_mailbox_lock", "fcntl, DotLock", words), 6u);
  EXPECT_EQ(*parse_words("virtual_mailbox_lock", "", words), 0u);
  EXPECT_EQ(parse_words("virtual_mailbox_lock", "fcntl foo", words).error().text,
            "unknown virtual_mailbox_lock value \"foo\" in \"fcntl foo\"");
}

TEST(CompatLevel, PartsCompareAsNumbers) {
  EXPECT_LT(*CompatLevel::parse("3.6"), *CompatLevel::parse("3.10"));
  EXPECT_EQ(*CompatLevel::parse("3"), *CompatLevel::parse("3.0.0"));
  for (std::string_view text : {"", "x", "3.", ".3", "-1", "3.6.1.4", "3.x", "99999999999"})
    EXPECT_EQ(CompatLevel::parse(text), std::nullopt) << text;
}

}  // namespace
}  // namespace postrider::config
