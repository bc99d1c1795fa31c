#include "mail/quote.h"

#include <string>

#include <gtest/gtest.h>

namespace postrider::mail {
namespace {

TEST(Quote, DotStringsStayBare) {
  for (const char* address : {"a@b", "a.b@c", "a!b%c|d@e", "a+b-c/d=e?f^g@h", "gr\xc3\xbc@x", "a"}) {
    EXPECT_EQ(quote_822_local(address), address);
    EXPECT_EQ(quote_821_local(address), address);
  }
}

TEST(Quote, OtherLocalpartsAreQuoted) {
  EXPECT_EQ(quote_822_local("a b@d"), "\"a b\"@d");
  EXPECT_EQ(quote_822_local(".a@d"), "\".a\"@d");
  EXPECT_EQ(quote_822_local("a.@d"), "\"a.\"@d");
  EXPECT_EQ(quote_822_local("a..b@d"), "\"a..b\"@d");
  EXPECT_EQ(quote_822_local("a@b@d"), "\"a@b\"@d");
  EXPECT_EQ(quote_822_local("a\"b@d"), "\"a\\\"b\"@d");
  EXPECT_EQ(quote_822_local("a\\b@d"), "\"a\\\\b\"@d");
  EXPECT_EQ(quote_822_local("@d"), "\"\"@d");
  EXPECT_EQ(quote_822_local(""), "\"\"");
}

TEST(Quote, TheDomainIsNotTouched) {
  EXPECT_EQ(quote_822_local("a@b c"), "a@b c");
  EXPECT_EQ(quote_822_local("a@b..c"), "a@b..c");
  EXPECT_EQ(quote_822_local("a@[1.2.3.4]"), "a@[1.2.3.4]");
}

TEST(Quote, NewlinesAreHiddenInSmtpOnly) {
  EXPECT_EQ(quote_822_local("a\nb@d"), "\"a\nb\"@d");
  EXPECT_EQ(quote_821_local("a\nb@d"), "\"a\\\nb\"@d");
  EXPECT_EQ(quote_821_local("a\rb@d"), "\"a\\\rb\"@d");
}

TEST(Quote, OptionsChangeWhatNeedsQuotes) {
  EXPECT_EQ(quote_822_local("\xc3\xbc@d", {.eight_bit_clean = false}), "\"\\\xc3\\\xbc\"@d");
  EXPECT_EQ(quote_822_local("a@b@d", {.expose_at = true}), "a@b@d");
  EXPECT_EQ(quote_822_localpart("a@b"), "\"a@b\"");
  EXPECT_EQ(quote_822_localpart("a.b"), "a.b");
}

TEST(Quote, ASourceRouteStaysInFrontInHeaderForm) {
  EXPECT_EQ(quote_822_local("@r:a b@d"), "@r:\"a b\"@d");
  EXPECT_EQ(quote_821_local("@r:a b@d"), "\"@r:a b\"@d");
}

TEST(Unquote, RemovesQuotesAndBackslashesOfTheLocalpart) {
  EXPECT_EQ(unquote_822_local("\"a b\"@d"), "a b@d");
  EXPECT_EQ(unquote_822_local("a\\ b@d"), "a b@d");
  EXPECT_EQ(unquote_822_local("\"a\\\"b\"@d"), "a\"b@d");
  EXPECT_EQ(unquote_822_local("\"a@b\"@c"), "a@b@c");
  EXPECT_EQ(unquote_822_local("\"\"@d"), "@d");
  EXPECT_EQ(unquote_822_local("a@\"b\""), "a@\"b\"");
  EXPECT_EQ(unquote_822_local("\"a@b\""), "a@b");
  EXPECT_EQ(unquote_822_local("@x:\"a\"@b"), "@x:a@b");
  EXPECT_EQ(unquote_822_local("\"a\\"), "a");
}

TEST(Unquote, UndoesQuoting) {
  for (const char* address : {"a b@c", "a\"b\\c@d", "a@b@c", "@d", ".x.@y", "plain@d"}) {
    EXPECT_EQ(unquote_822_local(quote_822_local(address)), address);
  }
}

}  // namespace
}  // namespace postrider::mail
