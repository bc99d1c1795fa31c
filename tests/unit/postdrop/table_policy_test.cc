#include "tools/postdrop/table_policy.h"

#include <gtest/gtest.h>

namespace postrider::postdrop {
namespace {

/// A configuration with these settings.
config::Config configure(std::vector<config::Assignment> settings) {
  return config::Config::load(
             {.overrides = std::move(settings), .process_name = "postdrop", .defaults_only = true})
      .value();
}

TablePolicy policy_for(const config::Config& config, std::string login = "alice") {
  return TablePolicy(config, 2000, std::move(login));
}

bool may_use(const char* patterns, std::string_view sender, const char* delimiter = "") {
  config::Config config =
      configure({{"local_login_sender_maps", std::string("inline:{{alice = ") + patterns + "}}"},
                 {"recipient_delimiter", delimiter}});
  TablePolicy policy = policy_for(config);
  return policy.may_use(sender).has_value();
}

TEST(SubmitUsers, AreThoseOfTheList) {
  config::Config config = configure({{"authorized_submit_users", "!bob, alice, carol"}});
  EXPECT_TRUE(policy_for(config).may_submit());
  auto refused = policy_for(config, "bob").may_submit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_EQ(refused.error().text, "User bob(2000) is not allowed to submit mail");
  EXPECT_EQ(policy_for(config, "").may_submit().error().text,
            "User unknown(2000) is not allowed to submit mail");
}

TEST(SubmitUsers, ATableThatFailsIsNoRefusal) {
  config::Config config = configure({{"authorized_submit_users", "fail:broken"}});
  auto answer = policy_for(config).may_submit();
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().kind, ErrorKind::denied);
}

TEST(LoginSenders, MatchAddressesAndDomains) {
  EXPECT_TRUE(may_use("alice, alice2@example.com @example.org", "alice"));
  EXPECT_TRUE(may_use("alice, alice2@example.com @example.org", "ALICE2@EXAMPLE.COM"));
  EXPECT_TRUE(may_use("alice, alice2@example.com @example.org", "anybody@Example.org"));
  EXPECT_FALSE(may_use("alice, alice2@example.com @example.org", "bob"));
  EXPECT_FALSE(may_use("alice, alice2@example.com @example.org", "alice@example.net"));
  EXPECT_TRUE(may_use("*", "anybody@example.net"));
}

TEST(LoginSenders, NullSenderHasAPatternOfItsOwn) {
  EXPECT_FALSE(may_use("alice", ""));
  EXPECT_TRUE(may_use("alice <>", ""));
}

TEST(LoginSenders, IgnoreExtensions) {
  EXPECT_FALSE(may_use("alice", "alice+lists"));
  EXPECT_TRUE(may_use("alice", "alice+lists", "+"));
}

TEST(LoginSenders, QuotedLocalpartsMayHaveSpaces) {
  EXPECT_TRUE(may_use("\"a b\"@example.com , d", "a b@example.com"));
  EXPECT_TRUE(may_use("\"a b\"@example.com , d", "d"));
  EXPECT_FALSE(may_use("\"a b\"@example.com , d", "b\"@example.com"));
}

TEST(LoginSenders, AskByUserIdWhereThereIsNoName) {
  config::Config config = configure({{"local_login_sender_maps", "inline:{uid:2000=x}"}});
  EXPECT_TRUE(policy_for(config, "").may_use("x"));
  auto refused = policy_for(config, "alice").may_use("x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "not authorized to use sender='x'");
}

TEST(SplitQuoted, KeepsQuotedTextTogether) {
  EXPECT_EQ(split_quoted("a, \"b c\"@d\t\"e\\\"f\" "),
            (std::vector<std::string_view>{"a", "\"b c\"@d", "\"e\\\"f\""}));
  EXPECT_TRUE(split_quoted(" , ").empty());
}

}  // namespace
}  // namespace postrider::postdrop
