#include "base/time_text.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(TimeText, MailDateHasTwoDigitDayAndZoneComment) {
  setenv("TZ", "UTC", 1);
  tzset();
  EXPECT_EQ(mail_date(1707134400), "Mon, 05 Feb 2024 12:00:00 +0000 (UTC)");
  EXPECT_EQ(asctime_date(1707134400), "Mon Feb  5 12:00:00 2024");
  EXPECT_EQ(compact_time(1707134400), "20240205120000");
}

TEST(TimeText, MailDateWestOfGreenwich) {
  setenv("TZ", "EST5", 1);
  tzset();
  EXPECT_EQ(mail_date(1707134400), "Mon, 05 Feb 2024 07:00:00 -0500 (EST)");
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST(TimeText, DelayShowsTwoSignificantDigits) {
  EXPECT_EQ(delay_text(0, 2), "0");
  EXPECT_EQ(delay_text(12'300, 2), "0.01");
  EXPECT_EQ(delay_text(500'000, 2), "0.5");
  EXPECT_EQ(delay_text(1'234'000, 2), "1.2");
  EXPECT_EQ(delay_text(12'300'000, 2), "12");
  EXPECT_EQ(delay_text(345'678'000, 2), "346");
  EXPECT_EQ(delay_text(4'000, 2), "0");
  EXPECT_EQ(delay_text(-5, 2), "0");
  EXPECT_EQ(delay_text(12'300, 0), "0");
}

}  // namespace
}  // namespace postrider
