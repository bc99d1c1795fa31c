#include "rewrite/rewriter.h"

#include "support.h"

namespace postrider::rewrite {
namespace {

class RewriterTest : public RewriteTest {
 protected:
  void set_up(const Setup& parameters = {}) { rewriter_ = std::make_unique<Rewriter>(config(parameters)); }
  std::string local(std::string_view address) { return rewriter_->rewrite(Context::local, address); }
  std::string remote(std::string_view address) { return rewriter_->rewrite(Context::remote, address); }

  std::unique_ptr<Rewriter> rewriter_;
};

TEST_F(RewriterTest, CompletesLocalAddresses) {
  set_up({{"myorigin", "site.test"}, {"append_dot_mydomain", "yes"}, {"mydomain", "dom.test"}});
  EXPECT_EQ(local("a"), "a@site.test");
  EXPECT_EQ(local("a@b"), "a@b.dom.test");
  EXPECT_EQ(local("a@b.c"), "a@b.c");
  EXPECT_EQ(local("a@[192.0.2.1]"), "a@[192.0.2.1]");
  EXPECT_EQ(local("a@b."), "a@b");
  EXPECT_EQ(local("\"a b\""), "\"a b\"@site.test");
}

TEST_F(RewriterTest, LeavesRemoteAddressesIncompleteByDefault) {
  set_up({{"append_dot_mydomain", "yes"}});
  EXPECT_EQ(remote("a"), "a");
  EXPECT_EQ(remote("a@b"), "a@b");
  EXPECT_EQ(remote("a!b"), "b@a");
}

TEST_F(RewriterTest, CompletesRemoteAddressesWithTheirOwnDomain) {
  set_up({{"remote_header_rewrite_domain", "domain.invalid"}, {"append_dot_mydomain", "yes"}});
  EXPECT_EQ(remote("a"), "a@domain.invalid");
  EXPECT_EQ(remote("a@b"), "a@b.domain.invalid");
}

TEST_F(RewriterTest, ResolvesRoutingForms) {
  set_up({{"append_dot_mydomain", "no"}});
  EXPECT_EQ(local("@r,@s:a@b.c"), "a@b.c");
  EXPECT_EQ(local("b!a"), "a@b");
  EXPECT_EQ(local("c!b!a"), "b!a@c");
  EXPECT_EQ(local("a%b%c"), "a%b@c");
  // Only what has no domain yet.
  EXPECT_EQ(local("b!a@c"), "b!a@c");
  EXPECT_EQ(local("a%b@c"), "a%b@c");
  // A bang path goes before the percent hack.
  EXPECT_EQ(local("c!a%b"), "a%b@c");
}

TEST_F(RewriterTest, RoutingFormsCanBeSwitchedOff) {
  set_up({{"swap_bangpath", "no"}, {"allow_percent_hack", "no"}, {"append_at_myorigin", "no"}});
  EXPECT_EQ(local("b!a"), "b!a");
  EXPECT_EQ(local("a%b"), "a%b");
  EXPECT_EQ(local("a"), "a");
}

TEST_F(RewriterTest, KeepsTheEmptyAddress) {
  set_up();
  EXPECT_EQ(local("\"\""), "\"\"");
  EXPECT_EQ(local("@"), "\"\"");
  EXPECT_EQ(local(""), "");
  EXPECT_EQ(local(" "), " ");
}

TEST_F(RewriterTest, LeavesBrokenFormsAlone) {
  set_up({{"append_dot_mydomain", "yes"}});
  EXPECT_EQ(local("a@b.."), "a@b..");
  EXPECT_EQ(local("a@."), "a@.");
  EXPECT_EQ(local("a@"), "a@");
}

TEST_F(RewriterTest, KnowsItsContexts) {
  EXPECT_EQ(parse_context("local"), Context::local);
  EXPECT_EQ(parse_context("remote"), Context::remote);
  EXPECT_FALSE(parse_context("invalid").has_value());
}

}  // namespace
}  // namespace postrider::rewrite
