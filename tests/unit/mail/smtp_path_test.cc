#include "mail/smtp_path.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace postrider::mail {
namespace {

std::string path(std::string_view text, PathOptions options = {}) {
  auto parsed = parse_smtp_path(text, options);
  return parsed ? *parsed : "error: " + std::string(describe(parsed.error()));
}

const std::string kSeveral = "error: more than one address";
const std::string kNotStrict = "error: not in the form <address>";
const std::string kEmpty = "error: no address";

TEST(SmtpPath, GivesTheInternalForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<a@b.test>", "a@b.test"},       {"<\"a b\"@b.test>", "a b@b.test"},
      {"<a\\ b@b.test>", "a b@b.test"}, {"<\"a\\\"b\"@c.test>", "a\"b@c.test"},
      {"<a@[1.2.3.4]>", "a@[1.2.3.4]"}, {"<a@[1.2.3.4>", "a@[1.2.3.4]"},
      {"<a @ c . test >", "a@c.test"},  {"<a..b@c.test>", "a..b@c.test"},
      {"<a@b@c.test>", "a@b@c.test"},   {"<site.test!alice>", "site.test!alice"},
      {"<postmaster>", "postmaster"},   {"<a@\"c.test\">", "a@c.test"},
      {"<a:b@c.test>", "a:b@c.test"},   {"<a@b.test>>", "a@b.test"},
      {"<<a@b.test>>", "a@b.test"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(path(text), expected) << text;
    EXPECT_EQ(path(text, {.strict = true}), expected) << text;
  }
}

TEST(SmtpPath, ToleratesWhatSendersDoUnlessStrict) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a@b.test", "a@b.test"},      {"a@b.test>", "a@b.test"},     {"x<a@b.test>", "a@b.test"},
      {"<a@b.test>(c)", "a@b.test"}, {"<(c)a@b.test>", "a@b.test"}, {"<g:a@b.test;>", "a@b.test"},
      {"<a@c.test>,", "a@c.test"},   {"\"a@c.test\"", "a@c.test"},  {"<a(b@c.test>", "a"},
      {"<@b.test>", "@b.test"},      {"<\"\"@b.test>", "@b.test"},  {"\"a b\"@c", "a b@c"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(path(text), expected) << text;
    EXPECT_EQ(path(text, {.strict = true}), kNotStrict) << text;
  }
}

TEST(SmtpPath, DropsASourceRoute) {
  EXPECT_EQ(path("<@r.test:a@b.test>", {.strict = true}), "a@b.test");
  EXPECT_EQ(path("<@r.test,@s.test:a@b.test>"), "a@b.test");
  EXPECT_EQ(path("@a,@b:c@d"), "c@d");
  EXPECT_EQ(path("<@:a@b>"), "a@b");
  EXPECT_EQ(path("<@a:>", {.allow_empty = true}), "");
  EXPECT_EQ(path("<@a:@b>"), "@b");
  // White space or a comment in front hides it.
  EXPECT_EQ(path("< @a:b@c>"), "@a:b@c");
}

TEST(SmtpPath, RefusesMoreThanOneAddress) {
  for (const char* text :
       {"<a b@b.test>", "<\"a\"b@b.test>", "<a@b.test>x", "<a@b.test,c@d.test>", "<a@b><c@d>", "<a;b@c.test>",
        "<a>b@c.test>", "<a[b]@c.test>", "<a@c.test>BODY=x"}) {
    EXPECT_EQ(path(text), kSeveral) << text;
  }
}

TEST(SmtpPath, TheNullAddressIsForSenders) {
  for (const char* text : {"<>", "< >", "<\"\">", "<<>>"}) {
    EXPECT_EQ(path(text), kEmpty) << text;
    EXPECT_EQ(path(text, {.strict = true, .allow_empty = true}), "") << text;
  }
  for (const char* text : {"", "\"\"", "(c)", "<(c)>", "<g:;>", "<>,"}) {
    EXPECT_EQ(path(text, {.allow_empty = true}), "") << text;
    EXPECT_EQ(path(text, {.strict = true, .allow_empty = true}), kNotStrict) << text;
  }
}

std::vector<std::string> words(std::string_view rest) {
  std::vector<std::string> out;
  while (auto word = next_smtp_word(rest)) {
    out.push_back(std::string(word->text) + (word->balanced ? "" : "!"));
  }
  return out;
}

using Words = std::vector<std::string>;

TEST(SmtpWord, BracketsQuotesAndBackslashesHoldAWordTogether) {
  EXPECT_EQ(words(" <a b@c>  SIZE=1 "), (Words{"<a b@c>", "SIZE=1"}));
  EXPECT_EQ(words("\"a b\"@c x"), (Words{"\"a b\"@c", "x"}));
  EXPECT_EQ(words("a\\ b@c x"), (Words{"a\\ b@c", "x"}));
  EXPECT_EQ(words("<\"> \"@c> x"), (Words{"<\"> \"@c>", "x"}));
  EXPECT_EQ(words("<a <b c> d> e"), (Words{"<a <b c> d>", "e"}));
  EXPECT_EQ(words("a(b c)@d"), (Words{"a(b", "c)@d"}));
  EXPECT_EQ(words("<a@b>\vx"), (Words{"<a@b>", "x"}));
}

TEST(SmtpWord, KeywordsBeforeAPathEndAtTheirColon) {
  EXPECT_EQ(words("FROM:<a b>"), (Words{"FROM:", "<a b>"}));
  EXPECT_EQ(words("to: a:b"), (Words{"to:", "a:b"}));
  EXPECT_EQ(words("a:b"), (Words{"a:b"}));
}

TEST(SmtpWord, AnOpenBracketOrQuoteIsReported) {
  EXPECT_EQ(words("<a b"), (Words{"<a b!"}));
  EXPECT_EQ(words("<a<b>"), (Words{"<a<b>!"}));
  EXPECT_EQ(words("\"a b"), (Words{"\"a b!"}));
  EXPECT_EQ(words("<a\\>"), (Words{"<a\\>!"}));
  EXPECT_EQ(words("\"a<b\" (c"), (Words{"\"a<b\"", "(c"}));
  EXPECT_TRUE(words(" \t").empty());
}

}  // namespace
}  // namespace postrider::mail
