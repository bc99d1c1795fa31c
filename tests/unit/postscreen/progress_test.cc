#include "postscreen/progress.h"

#include "fixture.h"

namespace postrider::postscreen {
namespace {

constexpr int64_t kNow = 1'700'000'000;

class ProgressTest : public PostscreenTest {
 protected:
  Progress progress(const char* entry) {
    return {*settings_, entry != nullptr ? Record::parse(entry) : std::nullopt, kNow};
  }
  static std::string news(const Progress& p) {
    auto record = p.news();
    return record ? record->entry() : "none";
  }
};

TEST_F(ProgressTest, DisabledTestsAreNotNeededAndAreMarked) {
  Progress p = progress(nullptr);
  EXPECT_TRUE(p.is_new());
  EXPECT_TRUE(p.needs(Test::pregreet));
  EXPECT_FALSE(p.needs(Test::dnsbl));
  EXPECT_FALSE(p.needs_deep_tests());
  EXPECT_FALSE(p.passed_all());
  EXPECT_EQ(news(p), "none");
  p.pass(Test::pregreet, kNow + 100);
  EXPECT_TRUE(p.passed_all());
  EXPECT_EQ(news(p), "1700000100;1;1;1;1");
}

TEST_F(ProgressTest, WhatWasPassedHoldsUntilItExpires) {
  configure("postscreen_dnsbl_sites = a.test\npostscreen_pipelining_enable = yes\n");
  EXPECT_FALSE(progress("1700000000;1700000100;1700000000;1;1").needs_any());
  Progress p = progress("1699999999;1700000100;1;1;1");
  EXPECT_TRUE(p.needs(Test::pregreet));
  EXPECT_FALSE(p.needs(Test::dnsbl));
  EXPECT_TRUE(p.needs_deep_tests()) << "it was switched off until now";
  EXPECT_FALSE(p.is_new()) << "the client has passed all tests that there were";
  EXPECT_TRUE(progress("1700000100;1700000100;0;1;1").is_new());
}

TEST_F(ProgressTest, DeepTestsArePassedTogether) {
  configure(
      "postscreen_pipelining_enable = yes\npostscreen_pipelining_ttl = "
      "1d\npostscreen_non_smtp_command_enable = yes\n"
      "postscreen_non_smtp_command_ttl = 2d\npostscreen_bare_newline_enable = "
      "yes\npostscreen_bare_newline_ttl = 3d\n");
  Progress p = progress("1700000100;1;0;0;0");
  p.pass_deep_tests(kNow);
  EXPECT_TRUE(p.passed_all());
  EXPECT_EQ(news(p), "1700000100;1;1700086400;1700172800;1700259200");
}

TEST_F(ProgressTest, AGoodScoreCountsForAllTestsAndShortensNothing) {
  Progress p = progress("1700000500;0;0;0;0");
  p.pass_all(kNow + 100);
  EXPECT_TRUE(p.passed_all());
  EXPECT_EQ(news(p), "1700000500;1700000100;1700000100;1700000100;1700000100");
}

TEST_F(ProgressTest, WhoIsRefusedIsNotRemembered) {
  Progress p = progress(nullptr);
  p.pass(Test::pregreet, kNow + 100);
  p.fail(Test::dnsbl, Action::ignore, "550 ignored");
  EXPECT_TRUE(p.failed(Test::dnsbl));
  EXPECT_FALSE(p.refused());
  EXPECT_NE(news(p), "none");
  p.fail(Test::pipelining, Action::enforce, "550 first");
  p.fail(Test::bare_newline, Action::enforce, "550 second");
  EXPECT_EQ(p.refusal(), "550 second");
  EXPECT_FALSE(p.passed_all());
  EXPECT_EQ(news(p), "none");
}

TEST_F(ProgressTest, AVetoEarnsNothing) {
  Progress p = progress(nullptr);
  p.veto();
  p.pass(Test::pregreet, kNow + 100);
  EXPECT_FALSE(p.passed_all());
  EXPECT_EQ(news(p), "none");
}

}  // namespace
}  // namespace postrider::postscreen
