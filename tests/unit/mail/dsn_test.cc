#include "mail/dsn.h"

#include <gtest/gtest.h>

#include "mail/dsn_parameters.h"

namespace postrider::mail {
namespace {

TEST(StatusCode, HasAClassAndTwoNumbers) {
  for (const char* good : {"2.0.0", "4.00.01", "5.7.26", "2.123.123"})
    EXPECT_TRUE(StatusCode::parse(good).has_value());
  for (const char* bad : {"", "2", "2.", "2.0", "2.0.", "3.1.1", "1.0.0", "02.0.0", "2..0", "2.1234.1",
                          "2.0.1234", "5.1.1x", "5.1.1 ", " 5.1.1", "2.0.0.", "2.0.0.0"}) {
    EXPECT_FALSE(StatusCode::parse(bad).has_value()) << bad;
  }
}

TEST(StatusCode, MayBeginAText) {
  EXPECT_EQ(StatusCode::parse_prefix("5.1.1 x"), StatusCode("5.1.1"));
  EXPECT_EQ(StatusCode::parse_prefix("5.1.1\tx"), StatusCode("5.1.1"));
  EXPECT_EQ(StatusCode::parse_prefix("5.1.1"), StatusCode("5.1.1"));
  EXPECT_FALSE(StatusCode::parse_prefix("5.1.1-x").has_value());
  EXPECT_FALSE(StatusCode::parse_prefix("").has_value());
}

TEST(StatusCode, ChangesClass) {
  EXPECT_EQ(StatusCode("5.1.1").with_class('4').text(), "4.1.1");
  EXPECT_TRUE(StatusCode("4.1.1").is_temporary());
  EXPECT_TRUE(StatusCode("5.1.1").is_permanent());
  EXPECT_TRUE(StatusCode("2.1.1").is_success());
}

TEST(StatusText, SplitsCodeFromText) {
  auto split = [](std::string_view text) {
    StatusText parts = split_status_text("4.0.0", text);
    return std::string(parts.code.text()) + "|" + std::string(parts.text);
  };
  EXPECT_EQ(split("5.1.1 user unknown"), "5.1.1|user unknown");
  EXPECT_EQ(split("  5.1.1  user"), "5.1.1|user");
  EXPECT_EQ(split("5.7.2"), "5.7.2|");
  EXPECT_EQ(split("user unknown"), "4.0.0|user unknown");
  EXPECT_EQ(split("5.1.1x"), "4.0.0|5.1.1x");
  EXPECT_EQ(split(""), "4.0.0|");
  EXPECT_EQ(with_status("4.0.0", "try later"), "4.0.0 try later");
  EXPECT_EQ(with_status("4.0.0", "5.2.0 no"), "5.2.0 no");
}

TEST(Action, HasTheWordsOfRfc3464) {
  EXPECT_EQ(to_text(Action::delayed), "delayed");
  EXPECT_EQ(parse_action("Expanded"), Action::expanded);
  EXPECT_FALSE(parse_action("lost").has_value());
}

TEST(Notify, ReadsLists) {
  EXPECT_EQ(parse_notify("NEVER"), Notify::never);
  EXPECT_EQ(parse_notify("success,failure"), Notify::success | Notify::failure);
  EXPECT_EQ(parse_notify("DELAY, SUCCESS"), Notify::success | Notify::delay);
  EXPECT_FALSE(parse_notify("never,success").has_value());
  EXPECT_FALSE(parse_notify("success;delay").has_value());
  EXPECT_FALSE(parse_notify("").has_value());
  EXPECT_EQ(to_text(Notify::delay | Notify::success), "SUCCESS,DELAY");
  EXPECT_EQ(to_text(Notify::none), "");
  EXPECT_EQ(Notify::from_bits(14), Notify::success | Notify::failure | Notify::delay);
  EXPECT_FALSE(Notify::from_bits(16).has_value());
}

TEST(Ret, HasTwoWords) {
  EXPECT_EQ(parse_ret("full"), Ret::full);
  EXPECT_EQ(parse_ret("HDRS"), Ret::headers);
  EXPECT_FALSE(parse_ret("hdr").has_value());
  EXPECT_EQ(to_text(Ret::headers), "HDRS");
}

TEST(Orcpt, DecodesByType) {
  EXPECT_EQ(parse_orcpt("rfc822;a+20b@c"), (OriginalRecipient{"rfc822", "a b@c"}));
  EXPECT_EQ(parse_orcpt("UTF-8;a\\x{FC}+20@c"), (OriginalRecipient{"UTF-8", "a\xc3\xbc+20@c"}));
  EXPECT_EQ(parse_orcpt("utf-8;\xc3\xbc@c"), (OriginalRecipient{"utf-8", "\xc3\xbc@c"}));
  EXPECT_EQ(parse_orcpt("x;"), (OriginalRecipient{"x", ""}));
  for (const char* bad : {"rfc822", ";a", "rfc822;a+", "rfc822;a+00b", "utf-8;\\x{", "utf-8;\\x{110000}",
                          "utf-8;\\x{D800}", "utf-8;\\x{}"}) {
    EXPECT_FALSE(parse_orcpt(bad).has_value()) << bad;
  }
}

TEST(Orcpt, IsWrittenForTheSession) {
  OriginalRecipient utf8{"utf-8", "\xc3\xbc@c"};
  EXPECT_EQ(format_orcpt(utf8, false), "utf-8;\\x{FC}@c");
  EXPECT_EQ(format_orcpt(utf8, true), "utf-8;\xc3\xbc@c");
  EXPECT_EQ(format_orcpt({"utf-8", "\xc3\xbc c"}, true), "utf-8;\\x{FC}\\x{20}c");
  EXPECT_EQ(format_orcpt({"rfc822", "a+b=c d"}, true), "rfc822;a+2Bb+3Dc+20d");
}

TEST(Envid, IsPrintable) {
  EXPECT_EQ(parse_envid("a+20b=c"), "a b=c");
  for (const char* bad : {"", "a+0A", "+C3+BC", "a+", "a+00b", "\xc3\xbc"}) {
    EXPECT_FALSE(parse_envid(bad).has_value()) << bad;
  }
}

TEST(Uxtext, RoundTrips) {
  const std::string text = "a+b=c d\\\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80";
  EXPECT_EQ(uxtext_encode(text), "a\\x{2B}b\\x{3D}c\\x{20}d\\x{5C}\\x{FC}\\x{20AC}\\x{1F600}");
  EXPECT_EQ(uxtext_decode(uxtext_encode(text).value()), text);
  EXPECT_FALSE(uxtext_encode("\xff").has_value());
}

}  // namespace
}  // namespace postrider::mail
