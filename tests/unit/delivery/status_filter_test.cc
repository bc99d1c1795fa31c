#include "delivery/status_filter.h"

#include <gtest/gtest.h>

#include "table/catalog.h"

namespace postrider::delivery {
namespace {

class StatusFilterTest : public testing::Test {
 protected:
  mail::DeliveryStatus apply(const char* tables, mail::DeliveryStatus status) {
    filter_ = StatusFilter(
        table::Maps::create(catalog_, "a_delivery_status_filter", tables, {.fold_fixed = false}).value());
    filter_.apply(status, Deadline::never());
    return status;
  }
  table::Catalog catalog_{table::OpenOptions{}};
  StatusFilter filter_;
};

constexpr const char* kTables =
    "pcre:{{/^4(\\.2\\.0 come) later$/ 5$1 never}, {/^5\\.1\\.1 / 4.1.1 not yet}, {/^2\\.0\\.0 / 4.0.0 not "
    "ok},"
    " {/^2\\.1\\.0 / 2.9.9 fine}, {/^5\\.0\\.0 / nonsense}, {/^5\\.7\\.1 / 4.7.0}}";

TEST_F(StatusFilterTest, MakesTemporaryFailuresPermanentAndTheOtherWayRound) {
  auto never = apply(kTables, {.status = "4.2.0", .action = mail::Action::delayed, .reason = "come later"});
  EXPECT_EQ(never.status.text(), "5.2.0");
  EXPECT_EQ(never.action, mail::Action::failed);
  EXPECT_EQ(never.reason, "come never");
  auto later = apply(kTables, {.status = "5.1.1", .action = mail::Action::failed, .reason = "unknown"});
  EXPECT_EQ(later.status.text(), "4.1.1");
  EXPECT_EQ(later.action, mail::Action::delayed);
}

TEST_F(StatusFilterTest, SuccessStaysSuccess) {
  mail::DeliveryStatus sent{.status = "2.0.0", .action = mail::Action::relayed, .reason = "ok"};
  EXPECT_EQ(apply(kTables, sent), sent);
  auto fine = apply(kTables, {.status = "2.1.0", .action = mail::Action::relayed, .reason = "ok"});
  EXPECT_EQ(fine.status.text(), "2.9.9");
  EXPECT_EQ(fine.action, mail::Action::relayed);
}

TEST_F(StatusFilterTest, ACodeAloneLeavesTheTextAsItIs) {
  auto later = apply(kTables, {.status = "5.7.1", .action = mail::Action::failed, .reason = "denied"});
  EXPECT_EQ(later.status.text(), "4.7.0");
  EXPECT_EQ(later.reason, "denied");
}

TEST_F(StatusFilterTest, WhatIsNoStatusAndWhatIsNotListedChangesNothing) {
  mail::DeliveryStatus failed{.status = "5.0.0", .action = mail::Action::failed, .reason = "no"};
  EXPECT_EQ(apply(kTables, failed), failed);
  EXPECT_EQ(apply("", failed), failed);
}

}  // namespace
}  // namespace postrider::delivery
