#include "qmgr/scheduler.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "qmgr/message.h"

namespace postrider::qmgr {
namespace {

using std::chrono::hours;

class SchedulerTest : public testing::Test {
 protected:
  TransportRules rules_{.concurrency = {.initial = 2,
                                        .limit = 4,
                                        .failed_cohort_limit = 1,
                                        .positive = Feedback::parse("1").value(),
                                        .negative = Feedback::parse("1").value()},
                        .recipient_limit = 2,
                        .preemption = {.slot_cost = 0}};

  Transport& transport(const char* name = "smtp") {
    return scheduler_.transport(name, [this] { return rules_; });
  }

  Message& message(const char* id) {
    messages_.push_back(std::make_unique<Message>());
    messages_.back()->id = id;
    messages_.back()->sequence = messages_.size();
    messages_.back()->entered = start_ + seconds(messages_.size());
    return *messages_.back();
  }

  void add(Message& m, const char* destination, const char* address) {
    proto::DeliveryRecipient recipient;
    recipient.address = address;
    scheduler_.add(m, scheduler_.destination(transport(), destination, destination), std::move(recipient));
  }

  /// "id>destination:recipients" of the next entry, which is kept as under way.
  std::string next(Clock::time_point now = Clock::now()) {
    auto entry = scheduler_.next(transport(), now);
    if (!entry) return "-";
    std::string out = entry->job->message->id + ">" + entry->destination->name + ":";
    for (const auto& r : entry->recipients)
      out += r.address;
    busy_.push_back(std::move(*entry));
    return out;
  }

  void finish_first(Scheduler::Outcome outcome = Scheduler::Outcome::reached,
                    Clock::time_point now = Clock::now()) {
    Entry entry = std::move(busy_.front());
    busy_.erase(busy_.begin());
    died_ = scheduler_.finish(entry, outcome, now);
  }

  /// Messages with as many recipients (each a delivery) as given, in this order: A, B, C...
  void add_messages(std::initializer_list<int> sizes, const char* destination = "d") {
    rules_.recipient_limit = 1;
    rules_.concurrency.initial = rules_.concurrency.limit = 1000;
    for (int size : sizes) {
      Message& m = message(std::string(1, static_cast<char>('A' + messages_.size())).c_str());
      for (int i = 0; i < size; ++i)
        add(m, destination, "");
    }
  }
  /// The messages whose entries come next, in their order: "AABA".
  std::string order(size_t count = 1000) {
    std::string out;
    while (out.size() < count) {
      std::string one = next(start_ + seconds(100));
      if (one == "-") break;
      out += one[0];
    }
    return out;
  }

  Clock::time_point start_ = Clock::now();
  Scheduler scheduler_;
  std::vector<std::unique_ptr<Message>> messages_;
  std::vector<Entry> busy_;
  bool died_ = false;
};

TEST_F(SchedulerTest, RecipientsOfOneDestinationShareDeliveriesUpToTheLimit) {
  Message& m = message("A");
  for (const char* address : {"1", "2", "3"})
    add(m, "d", address);
  EXPECT_EQ(next(), "A>d:12");
  EXPECT_EQ(next(), "A>d:3");
  EXPECT_EQ(next(), "-");
}

TEST_F(SchedulerTest, MessagesAreServedInTheirOrder) {
  Message &a = message("A"), &b = message("B");
  add(b, "d", "b");
  add(a, "d", "a");
  EXPECT_EQ(next(), "A>d:a");
  EXPECT_EQ(next(), "B>d:b");
}

TEST_F(SchedulerTest, DestinationsOfAMessageTakeTurns) {
  Message& m = message("A");
  for (const char* address : {"1", "2", "3", "4"})
    add(m, "x", address);
  for (const char* address : {"5", "6", "7", "8"})
    add(m, "y", address);
  EXPECT_EQ(next(), "A>x:12");
  EXPECT_EQ(next(), "A>y:56");
  EXPECT_EQ(next(), "A>x:34");
  EXPECT_EQ(next(), "A>y:78");
}

TEST_F(SchedulerTest, ABusyDestinationHoldsUpNobodyElse) {
  for (const char* id : {"A", "B", "C"})
    add(message(id), "slow", "s");
  add(message("D"), "quick", "q");
  EXPECT_EQ(next(), "A>slow:s");
  EXPECT_EQ(next(), "B>slow:s");
  EXPECT_EQ(next(), "D>quick:q");
  EXPECT_EQ(next(), "-");
  finish_first();
  EXPECT_EQ(next(), "C>slow:s");
}

TEST_F(SchedulerTest, JobsEndWithTheirLastEntry) {
  Message& m = message("A");
  add(m, "d", "1");
  EXPECT_FALSE(m.batch_done());
  EXPECT_EQ(next(), "A>d:1");
  EXPECT_FALSE(m.batch_done());
  finish_first();
  EXPECT_TRUE(m.batch_done());
}

TEST_F(SchedulerTest, AFailingDestinationDiesAndGivesItsEntriesBack) {
  for (const char* id : {"A", "B", "C", "D"})
    add(message(id), "d", "x");
  while (next() != "-") {
  }
  finish_first(Scheduler::Outcome::site_failed);
  EXPECT_FALSE(died_);
  while (!died_ && !busy_.empty())
    finish_first(Scheduler::Outcome::site_failed);
  EXPECT_TRUE(died_);
  EXPECT_EQ(next(), "-");
  Destination& d = scheduler_.destination(transport(), "d", "d");
  auto entries = scheduler_.take_waiting(d);
  EXPECT_EQ(entries.size(), 2U);
  for (const Entry& entry : entries)
    scheduler_.drop(entry);
  EXPECT_TRUE(messages_[3]->batch_done());
  scheduler_.revive(d);
  add(*messages_[3], "d", "again");
  EXPECT_EQ(next(), "D>d:again");
}

TEST_F(SchedulerTest, FailuresWithPausesBetweenThemKillNoDestination) {
  for (const char* id : {"A", "B", "C", "D", "E", "F", "G"}) {
    add(message(id), "d", "x");
    ASSERT_NE(next(), "-");
    finish_first(Scheduler::Outcome::site_failed);
    EXPECT_FALSE(died_);
    Scheduler::start_anew_if_idle(scheduler_.destination(transport(), "d", "d"));
  }
}

TEST_F(SchedulerTest, RateDelaySpacesDeliveries) {
  rules_.destination_delay = hours(1);
  rules_.concurrency.initial = rules_.concurrency.limit = 1;
  add(message("A"), "d", "1");
  add(message("B"), "d", "2");
  Clock::time_point now = Clock::now();
  EXPECT_EQ(next(now), "A>d:1");
  finish_first(Scheduler::Outcome::reached, now);
  EXPECT_EQ(next(now), "-");
  EXPECT_EQ(scheduler_.wake_time(transport()), now + hours(1));
  EXPECT_EQ(next(now + hours(1)), "B>d:2");
}

TEST_F(SchedulerTest, MoreRecipientsOfAnOldMessageKeepItsPlace) {
  Message &a = message("A"), &b = message("B");
  rules_.recipient_limit = 1;
  add(a, "d", "1");
  EXPECT_EQ(next(), "A>d:1");
  for (const char* address : {"2", "3"})
    add(b, "d", address);
  add(a, "d", "4");
  EXPECT_EQ(next(), "A>d:4");
  finish_first();
  EXPECT_EQ(next(), "B>d:2");
}

TEST_F(SchedulerTest, AConnectionIsKeptWhileDeliveriesFollowEachOther) {
  Clock::time_point now = Clock::now();
  rules_.recipient_limit = 1;
  Message& m = message("A");
  for (const char* address : {"1", "2", "3"})
    add(m, "d", address);
  constexpr uint32_t kBoth = proto::kDeliverConnectionLoad | proto::kDeliverConnectionStore;
  next(now);
  EXPECT_EQ(busy_.back().flags & kBoth, 0U);
  finish_first(Scheduler::Outcome::reached, now);
  next(now);
  EXPECT_EQ(busy_.back().flags & kBoth, kBoth);
  finish_first(Scheduler::Outcome::reached, now);
  next(now + seconds(30));
  EXPECT_EQ(busy_.back().flags & kBoth, proto::kDeliverConnectionLoad);
}

TEST_F(SchedulerTest, ATransportWithRateDelayDeliversOneAtATime) {
  rules_.transport_delay = hours(1);
  Clock::time_point now = Clock::now();
  add(message("A"), "x", "1");
  add(message("B"), "y", "2");
  EXPECT_EQ(next(now), "A>x:1");
  EXPECT_EQ(next(now + hours(2)), "-");
  EXPECT_EQ(scheduler_.wake_time(transport()), std::nullopt);
  finish_first(Scheduler::Outcome::reached, now + hours(2));
  EXPECT_EQ(scheduler_.wake_time(transport()), now + hours(3));
  EXPECT_EQ(next(now + hours(3)), "B>y:2");
}

TEST_F(SchedulerTest, WithVerpEachRecipientIsADelivery) {
  Message& m = message("A");
  m.envelope.verp = "+=";
  for (const char* address : {"1", "2"})
    add(m, "d", address);
  EXPECT_EQ(next(), "A>d:1");
  EXPECT_EQ(next(), "A>d:2");
}

// --- preemption; the sequences are those of SCHEDULER_README ---

TEST_F(SchedulerTest, WithoutSlotsMessagesKeepTheirOrder) {
  add_messages({4, 1});
  EXPECT_EQ(order(), "AAAAB");
}

TEST_F(SchedulerTest, SmallMessagesPassALargeOneWithTheSlotsThatItGathers) {
  rules_.preemption = {.slot_cost = 2, .slot_loan = 0, .slot_discount = 0, .minimum_slots = 3};
  add_messages({10, 2, 2});
  EXPECT_EQ(order(), "AAAABBAAAACCAA");
}

TEST_F(SchedulerTest, ADiscountLetsThemPassEarlier) {
  rules_.preemption = {.slot_cost = 2, .slot_loan = 0, .slot_discount = 50, .minimum_slots = 3};
  add_messages({10, 2, 2});
  EXPECT_EQ(order(), "AABBAAAACCAAAA");
}

TEST_F(SchedulerTest, AMessageThatGathersTooLittleIsNotPassed) {
  rules_.preemption = {.slot_cost = 2, .slot_loan = 3, .slot_discount = 50, .minimum_slots = 3};
  add_messages({5, 1});
  EXPECT_EQ(order(), "AAAAAB");
}

TEST_F(SchedulerTest, NoMessageIsSlowedDownBeyondItsSlots) {
  rules_.preemption = {.slot_cost = 5, .slot_loan = 3, .slot_discount = 50, .minimum_slots = 3};
  add_messages({100});
  for (int i = 0; i < 100; ++i)
    add_messages({1});
  // One slot for each five of its own, and those that were lent.
  std::string first = order(100);
  EXPECT_GE(std::count(first.begin(), first.end(), 'A'), 80);
  EXPECT_LT(std::count(first.begin(), first.end(), 'A'), 100);
}

TEST_F(SchedulerTest, TheOldestForItsSizePassesFirst) {
  rules_.preemption = {.slot_cost = 2, .slot_loan = 0, .slot_discount = 0, .minimum_slots = 1};
  add_messages({100, 4, 1});
  std::string sequence = order();
  // B waits only a little longer than C but needs four times as many deliveries.
  EXPECT_LT(sequence.find('C'), sequence.find('B'));
}

TEST_F(SchedulerTest, WhoWaitsForABusyDestinationPassesNobody) {
  rules_.preemption = {.slot_cost = 2, .slot_loan = 9, .slot_discount = 100, .minimum_slots = 1};
  rules_.concurrency.initial = rules_.concurrency.limit = 1;
  rules_.recipient_limit = 1;
  add(message("S"), "slow", "s");
  EXPECT_EQ(next(), "S>slow:s");
  Message& large = message("L");
  for (int i = 0; i < 20; ++i)
    add(large, ("d" + std::to_string(i)).c_str(), "x");
  add(message("T"), "slow", "t");
  EXPECT_EQ(next()[0], 'L');
  finish_first();
  EXPECT_EQ(next(), "T>slow:t");
  EXPECT_EQ(next()[0], 'L');
}

TEST_F(SchedulerTest, ManySmallMessagesPassManyLargeOnesInLittleTime) {
  rules_.preemption = {};
  rules_.recipient_limit = 1;
  rules_.concurrency.initial = rules_.concurrency.limit = 20;
  for (int i = 0; i < 20; ++i) {
    Message& large = message("L");
    for (int j = 0; j < 1000; ++j)
      add(large, ("d" + std::to_string(j)).c_str(), "x");
  }
  // All of these wait for a destination that is slow, but for the last.
  for (int i = 0; i < 20'000; ++i)
    add(message("S"), "slow", "s");
  for (int i = 0; i < 20'000; ++i)
    add(message("Q"), ("q" + std::to_string(i)).c_str(), "q");
  int small = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string one = next(start_);
    if (one[0] == 'Q') ++small;
    if (one[0] == 'S') continue;
    Entry entry = std::move(busy_.back());
    busy_.pop_back();
    scheduler_.finish(entry, Scheduler::Outcome::reached, start_);
  }
  EXPECT_GT(small, 3000);
}

TEST_F(SchedulerTest, ALargeBacklogCostsEachChoiceLittle) {
  // Quadratic behaviour would make this take minutes.
  for (int i = 0; i < 50'000; ++i)
    add(message("S"), "slow", "s");
  next();
  next();
  for (int i = 0; i < 50'000; ++i) {
    add(message("Q"), ("quick" + std::to_string(i % 100)).c_str(), "q");
    ASSERT_EQ(next().substr(0, 2), "Q>");
    Entry entry = std::move(busy_.back());
    busy_.pop_back();
    scheduler_.finish(entry, Scheduler::Outcome::reached, Clock::now());
  }
}

}  // namespace
}  // namespace postrider::qmgr
