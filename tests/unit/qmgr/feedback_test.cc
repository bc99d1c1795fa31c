#include "qmgr/feedback.h"

#include <gtest/gtest.h>

namespace postrider::qmgr {
namespace {

ConcurrencyRules rules(int initial, int limit, const char* positive = "1", const char* negative = "1") {
  return {.initial = initial,
          .limit = limit,
          .failed_cohort_limit = 1,
          .positive = Feedback::parse(positive).value(),
          .negative = Feedback::parse(negative).value()};
}

TEST(Feedback, ParsesTheThreeForms) {
  EXPECT_DOUBLE_EQ(Feedback::parse("1")->at(10), 1);
  EXPECT_DOUBLE_EQ(Feedback::parse("1/concurrency")->at(10), 0.1);
  EXPECT_DOUBLE_EQ(Feedback::parse("0.5 / sqrt_concurrency")->at(4), 0.25);
  for (const char* bad : {"", "2", "-1", "1/2", "x", "1/concurrency/2"})
    EXPECT_FALSE(Feedback::parse(bad)) << bad;
}

TEST(Window, GrowsWithSuccessUpToTheLimitWhileItIsInUse) {
  ConcurrencyRules r = rules(5, 8);
  Window window(r);
  for (int i = 0; i < 20; ++i)
    window.succeed(window.size() - 1);
  EXPECT_EQ(window.size(), 8);
}

TEST(Window, DoesNotGrowWhileHardlyUsed) {
  ConcurrencyRules r = rules(5, 20);
  Window window(r);
  for (int i = 0; i < 20; ++i)
    window.succeed(0);
  EXPECT_EQ(window.size(), 5);
}

TEST(Window, FractionalFeedbackGrowsOncePerCohort) {
  ConcurrencyRules r = rules(4, 20, "1/concurrency");
  Window window(r);
  for (int i = 0; i < 4; ++i)
    window.succeed(3);
  EXPECT_EQ(window.size(), 5);
}

TEST(Window, DiesAfterOneCohortOfFailures) {
  ConcurrencyRules r = rules(5, 20);
  Window window(r);
  int failures = 0;
  while (!window.dead()) {
    window.fail();
    ++failures;
  }
  EXPECT_LE(failures, 5);
  EXPECT_GE(failures, 2);
  window.revive();
  EXPECT_EQ(window.size(), 5);
}

TEST(Window, ASuccessForgivesFailures) {
  ConcurrencyRules r = rules(5, 20);
  Window window(r);
  for (int i = 0; i < 100; ++i) {
    window.fail();
    window.succeed(window.size());
  }
  EXPECT_FALSE(window.dead());
  EXPECT_GE(window.size(), 1);
}

}  // namespace
}  // namespace postrider::qmgr
