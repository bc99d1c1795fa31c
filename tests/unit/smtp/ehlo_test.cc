#include "smtp/ehlo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::smtp {
namespace {

using testing::ElementsAre;

TEST(Keywords, ListsAreReadAndShown) {
  KeywordSet set = parse_keywords("smtputf8, Pipelining\tfoo,size");
  EXPECT_TRUE(set.has(Keyword::smtputf8));
  EXPECT_FALSE(set.has(Keyword::dsn));
  EXPECT_EQ(keyword_text(set), "PIPELINING SIZE SMTPUTF8");
  EXPECT_EQ(keyword_text(parse_keywords("chunking, ETRN")), "ETRN CHUNKING");
  EXPECT_TRUE(parse_keywords("silent-discard, dsn").has(Keyword::silent_discard));
  EXPECT_TRUE(parse_keywords("").empty());
}

TEST(Capabilities, EveryKeyword) {
  Capabilities c = parse_ehlo(
      "250-Mx.Test hello\n250-PIPELINING\n250-size "
      "1000\n250-VRFY\n250-ETRN\n250-STARTTLS\n250-8BITMIME\n250-DSN\n"
      "250-SMTPUTF8\n250-CHUNKING\n250-VERP\n250-XCLIENT NAME ADDR\n250-REQUIRETLS\n250-X-UNKNOWN\n"
      "250 ENHANCEDSTATUSCODES",
      {});
  EXPECT_EQ(c.server_name, "Mx.Test");
  EXPECT_EQ(
      keyword_text(c.offered),
      "8BITMIME ETRN PIPELINING SIZE VERP VRFY XCLIENT STARTTLS ENHANCEDSTATUSCODES DSN SMTPUTF8 CHUNKING "
      "REQUIRETLS");
  EXPECT_EQ(c.size_limit, 1000u);
}

TEST(Capabilities, TheFirstLineIsNoKeyword) {
  EXPECT_TRUE(parse_ehlo("250 PIPELINING", {}).offered.empty());
  EXPECT_EQ(parse_ehlo("250 PIPELINING", {}).server_name, "PIPELINING");
  EXPECT_TRUE(parse_ehlo("250", {}).offered.empty());
}

TEST(Capabilities, AuthInBothForms) {
  Capabilities c = parse_ehlo("250-x\n250-AUTH=LOGIN PLAIN\n250-AUTH PLAIN  LOGIN \n250 AUTH", {});
  EXPECT_TRUE(c.has(Keyword::auth));
  EXPECT_THAT(c.auth, ElementsAre("LOGIN PLAIN", "PLAIN  LOGIN", ""));
}

TEST(Capabilities, SizeLimits) {
  auto limit = [](std::string_view argument) {
    return parse_ehlo("250-x\n250 SIZE" + std::string(argument), {}).size_limit;
  };
  EXPECT_EQ(limit(""), std::nullopt);
  EXPECT_EQ(limit(" 0"), std::nullopt);
  EXPECT_EQ(limit(" 10240000"), 10240000u);
  EXPECT_EQ(limit(" 99999999999999999999999"), std::nullopt);
  Capabilities bad = parse_ehlo("250-x\n250 SIZE lots", {});
  EXPECT_TRUE(bad.has(Keyword::size));
  EXPECT_EQ(bad.bad_size, "lots");
  EXPECT_EQ(bad.size_limit, std::nullopt);
}

TEST(Capabilities, XforwardAttributes) {
  Capabilities c = parse_ehlo("250-x\n250 XFORWARD NAME addr BOGUS SOURCE", {});
  EXPECT_TRUE(c.takes(XforwardAttribute::name));
  EXPECT_TRUE(c.takes(XforwardAttribute::address));
  EXPECT_TRUE(c.takes(XforwardAttribute::source));
  EXPECT_FALSE(c.takes(XforwardAttribute::helo));
}

TEST(Capabilities, WhatIsDiscardedIsNotThere) {
  Capabilities c = parse_ehlo("250-x\n250-SIZE 100\n250-XFORWARD NAME\n250-AUTH PLAIN\n250 DSN",
                              parse_keywords("size xforward auth"));
  EXPECT_EQ(keyword_text(c.offered), "DSN");
  EXPECT_EQ(c.size_limit, std::nullopt);
  EXPECT_FALSE(c.takes(XforwardAttribute::name));
  EXPECT_TRUE(c.auth.empty());
}

}  // namespace
}  // namespace postrider::smtp
