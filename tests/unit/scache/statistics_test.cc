#include "scache/statistics.h"

#include <stdlib.h>
#include <time.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::scache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Statistics, PutsTheReportsOfProcessesTogether) {
  setenv("TZ", "UTC", 1);
  tzset();
  Statistics statistics(1'700'000'000);
  statistics.add(1, {.destination_hits = 2,
                     .destination_misses = 1,
                     .address_hits = 0,
                     .address_misses = 1,
                     .destinations = 1,
                     .addresses = 2,
                     .connections = 3});
  proto::CacheReport later;
  later.destination_hits = 1;
  later.connections = 2;
  statistics.add(1, later);
  statistics.add(2, later);
  EXPECT_THAT(statistics.take_lines(1'700'000'600),
              ElementsAre("statistics: start interval Nov 14 22:13:20",
                          "statistics: domain lookup hits=4 miss=1 success=80%",
                          "statistics: address lookup hits=0 miss=1 success=0%",
                          "statistics: max simultaneous domains=1 addresses=2 connection=5"));
  EXPECT_THAT(statistics.take_lines(1'700'001'200), IsEmpty());
}

}  // namespace
}  // namespace postrider::scache
