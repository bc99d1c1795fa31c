// What main.cf makes of the rules by which deliveries are scheduled.
#include "qmgr/settings.h"

#include <gtest/gtest.h>

#include "../config/temporary_config.h"
#include "qmgr/message.h"

namespace postrider::qmgr {
namespace {

using std::chrono::hours;

class QmgrSettingsTest : public testing::Test {
 protected:
  TransportRules rules(std::string_view main_cf, std::string_view transport = "smtp") {
    auto config = directory_.load("myhostname = mx.site.test\n" + std::string(main_cf));
    return Settings(config).rules(transport);
  }

  /// The order in which recipients of messages A, B, C... with so many recipients each are delivered.
  std::string order(std::initializer_list<int> sizes, std::string main_cf,
                    std::string_view transport = "smtp") {
    main_cf +=
        "default_destination_recipient_limit = 1\ndefault_destination_concurrency_limit = 1000\n"
        "initial_destination_concurrency = 1000\n";
    Scheduler scheduler;
    Clock::time_point start = Clock::now();
    Transport& t = scheduler.transport(transport, [&] { return rules(main_cf, transport); });
    std::vector<std::unique_ptr<Message>> messages;
    for (int size : sizes) {
      Message& m = *messages.emplace_back(std::make_unique<Message>());
      m.id = std::string(1, static_cast<char>('A' + messages.size() - 1));
      m.sequence = messages.size();
      m.entered = start + seconds(messages.size());
      for (int i = 0; i < size; ++i)
        scheduler.add(m, scheduler.destination(t, "d", "d"), {});
    }
    std::string out;
    while (auto entry = scheduler.next(t, start + seconds(100))) {
      out += entry->job->message->id;
      busy_.push_back(std::move(*entry));
    }
    return out;
  }

  config::TemporaryConfig directory_;
  std::vector<Entry> busy_;
};

// --- who passes whom ---

constexpr const char* kSlots =
    "default_delivery_slot_cost = 2\ndefault_delivery_slot_loan = 0\ndefault_delivery_slot_discount = 0\n"
    "default_minimum_delivery_slots = 3\n";

TEST_F(QmgrSettingsTest, SmallMessagesPassALargeOneWhenItHasGatheredSlots) {
  EXPECT_EQ(order({10, 2, 2}, kSlots), "AAAABBAAAACCAA");
}

TEST_F(QmgrSettingsTest, SlotsCostMoreOrCannotBeHad) {
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "default_delivery_slot_cost = 3\n"), "AAAAAABBAAAACC");
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "default_delivery_slot_cost = 0\n"), "AAAAAAAAAABBCC");
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "slow_delivery_slot_cost = 0\n", "slow"),
            "AAAAAAAAAABBCC");
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "slow_delivery_slot_cost = 0\n"), "AAAABBAAAACCAA");
}

TEST_F(QmgrSettingsTest, SlotsAreLentOrCheaperToBeginWith) {
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "default_delivery_slot_loan = 1\n"), "AABBAAAACCAAAA");
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "default_delivery_slot_discount = 50\n"),
            "AABBAAAACCAAAA");
}

TEST_F(QmgrSettingsTest, AMessageThatNeverGathersEnoughIsNotPassed) {
  EXPECT_EQ(order({10, 2, 2}, std::string(kSlots) + "default_minimum_delivery_slots = 6\n"),
            "AAAAAAAAAABBCC");
}

// --- how many at a time ---

TEST_F(QmgrSettingsTest, ConcurrencyBeginsAndEndsWhereItIsTold) {
  TransportRules r =
      rules("default_destination_concurrency_limit = 7\ninitial_destination_concurrency = 4\n");
  Window window(r.concurrency);
  EXPECT_EQ(window.size(), 4);
  for (int i = 0; i < 100; ++i)
    window.succeed(window.size() - 1);
  EXPECT_EQ(window.size(), 7);
  EXPECT_EQ(rules("initial_destination_concurrency = 4\nslow_initial_destination_concurrency = 2\n", "slow")
                .concurrency.initial,
            2);
  EXPECT_EQ(rules("default_destination_concurrency_limit = 3\n").concurrency.initial, 3);
}

TEST_F(QmgrSettingsTest, LocalMailboxesAreBusyWithLittleAtATime) {
  EXPECT_EQ(rules("", "local").concurrency.limit, 2);
  EXPECT_EQ(rules("", "local").recipient_limit, 1);
  EXPECT_EQ(rules("default_destination_concurrency_limit = 7\n", "local").concurrency.limit, 2);
  EXPECT_EQ(rules("local_destination_concurrency_limit = 6\n", "local").concurrency.limit, 6);
  EXPECT_EQ(rules("default_destination_recipient_limit = 7\n", "local").recipient_limit, 1);
  EXPECT_EQ(rules("local_destination_recipient_limit = 6\n", "local").recipient_limit, 6);
}

TEST_F(QmgrSettingsTest, FeedbackIsAsStrongAsItIsTold) {
  constexpr const char* kBounds =
      "default_destination_concurrency_limit = 20\ninitial_destination_concurrency = 4\n";
  auto cohort_of_successes = [&](std::string feedback) {
    TransportRules r = rules(kBounds + std::move(feedback));
    Window window(r.concurrency);
    for (int i = 0; i < 4; ++i)
      window.succeed(window.size() - 1);
    return window.size();
  };
  EXPECT_EQ(cohort_of_successes(""), 8);
  EXPECT_EQ(cohort_of_successes("default_destination_concurrency_positive_feedback = 1/concurrency\n"), 5);
  EXPECT_EQ(cohort_of_successes("default_destination_concurrency_positive_feedback = 0.5\n"), 6);
  EXPECT_EQ(cohort_of_successes("smtp_destination_concurrency_positive_feedback = 0.5\n"), 6);

  auto failures_until_dead = [&](std::string feedback) {
    TransportRules r = rules(kBounds + std::move(feedback));
    Window window(r.concurrency);
    int count = 0;
    while (!window.dead() && count < 1000) {
      window.fail();
      ++count;
    }
    return count;
  };
  int one_cohort = failures_until_dead("");
  EXPECT_LE(one_cohort, 4);
  EXPECT_GT(failures_until_dead("default_destination_concurrency_failed_cohort_limit = 10\n"),
            2 * one_cohort);
  EXPECT_EQ(failures_until_dead("default_destination_concurrency_failed_cohort_limit = 0\n"), 1000);

  auto size_after_failures = [&](std::string feedback) {
    TransportRules r =
        rules(std::string(kBounds) + "default_destination_concurrency_failed_cohort_limit = 0\n" +
              std::move(feedback));
    Window window(r.concurrency);
    for (int i = 0; i < 2; ++i)
      window.fail();
    return window.size();
  };
  EXPECT_EQ(size_after_failures(""), 1);
  EXPECT_EQ(size_after_failures("default_destination_concurrency_negative_feedback = 1/concurrency\n"), 3);
}

// --- pauses ---

TEST_F(QmgrSettingsTest, PausesBetweenDeliveriesOfADestinationOrATransport) {
  Clock::time_point now = Clock::now();
  auto waits = [&](std::string main_cf, const char* second) {
    Scheduler scheduler;
    Transport& t = scheduler.transport("smtp", [&] { return rules(main_cf); });
    Message a, b;
    a.sequence = 1;
    b.sequence = 2;
    scheduler.add(a, scheduler.destination(t, "one", "one"), {});
    scheduler.add(b, scheduler.destination(t, second, second), {});
    auto first = scheduler.next(t, now);
    scheduler.finish(*first, Scheduler::Outcome::reached, now);
    busy_.push_back(std::move(*first));
    auto next = scheduler.next(t, now);
    bool waited = !next;
    if (waited) next = scheduler.next(t, now + hours(1));
    EXPECT_TRUE(next);
    if (next) scheduler.finish(*next, Scheduler::Outcome::reached, now);
    return waited;
  };
  EXPECT_FALSE(waits("", "one"));
  EXPECT_TRUE(waits("default_destination_rate_delay = 1h\n", "one"));
  EXPECT_FALSE(waits("default_destination_rate_delay = 1h\n", "other"));
  EXPECT_TRUE(waits("default_transport_rate_delay = 1h\n", "other"));
  EXPECT_TRUE(waits("smtp_transport_rate_delay = 1h\n", "other"));
  EXPECT_FALSE(waits("slow_transport_rate_delay = 1h\n", "other"));
}

TEST_F(QmgrSettingsTest, AParameterWithoutMeaningMayBeSetButNotToAnything) {
  auto set = [&](const char* value) {
    auto config =
        directory_.load(std::string("myhostname = mx.site.test\nqmgr_fudge_factor = ") + value + "\n");
    Settings settings(config);
  };
  EXPECT_NO_THROW(set("50"));
  EXPECT_THROW(set("9"), config::ConfigError);
  EXPECT_THROW(set("many"), config::ConfigError);
}

}  // namespace
}  // namespace postrider::qmgr
