#include "anvil/ledger.h"

#include <gtest/gtest.h>

#include "anvil/service.h"
#include "io/fiber.h"
#include "io/stream.h"
#include "io/sync.h"
#include "sys/socket.h"

namespace postrider::anvil {
namespace {

using proto::AnvilEvent;

class LedgerTest : public testing::Test {
 protected:
  Ledger make(size_t max_entries = 100) {
    return Ledger(seconds(60), max_entries, [this] { return now_; }, [] { return time_t{0}; });
  }
  Clock::time_point now_ = Clock::now();
};

TEST_F(LedgerTest, ConnectionsAreCountedByClient) {
  Ledger ledger = make();
  EXPECT_EQ(ledger.connect("smtp:a")->count, 1U);
  EXPECT_EQ(ledger.connect("smtp:a")->count, 2U);
  EXPECT_EQ(ledger.connect("smtp:b")->count, 1U);
  ledger.disconnect("smtp:a");
  Ledger::Answer again = ledger.connect("smtp:a").value();
  EXPECT_EQ(again.count, 2U);
  EXPECT_EQ(again.rate, 3U);
  ledger.disconnect("smtp:nobody");
}

TEST_F(LedgerTest, RatesBeginAnewWhenTheTimeUnitHasPassed) {
  Ledger ledger = make();
  EXPECT_EQ(ledger.event("a", AnvilEvent::message, false), 1U);
  EXPECT_EQ(ledger.event("a", AnvilEvent::message, false), 2U);
  EXPECT_EQ(ledger.event("a", AnvilEvent::message, true), 2U);
  EXPECT_EQ(ledger.event("a", AnvilEvent::recipient, false), 1U);
  now_ += seconds(60);
  EXPECT_EQ(ledger.event("a", AnvilEvent::message, false), 3U);
  now_ += seconds(1);
  EXPECT_EQ(ledger.event("a", AnvilEvent::message, false), 1U);
}

TEST_F(LedgerTest, ClientsAreForgottenUnlessTheyAreConnected) {
  Ledger ledger = make();
  ASSERT_TRUE(ledger.connect("here"));
  ASSERT_TRUE(ledger.event("gone", AnvilEvent::auth, false));
  ledger.expire();
  EXPECT_EQ(ledger.size(), 2U);
  now_ += seconds(61);
  ledger.expire();
  EXPECT_EQ(ledger.size(), 1U);
  EXPECT_EQ(ledger.connect("here")->count, 2U);
}

TEST_F(LedgerTest, MoreClientsThanTheLimitAreNotCounted) {
  Ledger ledger = make(1);
  EXPECT_TRUE(ledger.connect("a"));
  EXPECT_FALSE(ledger.connect("b"));
  EXPECT_TRUE(ledger.connect("a"));
}

TEST_F(LedgerTest, StatisticsTellThePeaksOnce) {
  Ledger ledger = make();
  ASSERT_TRUE(ledger.connect("smtp:a"));
  ASSERT_TRUE(ledger.connect("smtp:b"));
  ledger.disconnect("smtp:b");
  ASSERT_TRUE(ledger.connect("smtp:b"));
  std::vector<std::string> lines = ledger.take_statistics();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("statistics: max connection rate 2/60s for (smtp:b) at "));
  EXPECT_TRUE(lines[1].starts_with("statistics: max connection count 1 for (smtp:a) at "));
  EXPECT_TRUE(lines[2].starts_with("statistics: max cache size 2 at "));
  EXPECT_TRUE(ledger.take_statistics().empty());
}

TEST_F(LedgerTest, AProcessThatEndsTakesItsClientsWithIt) {
  Ledger ledger = make();
  io::run_with_loop([&] {
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    io::TaskGroup serving;
    serving.spawn([&, fd = std::move(pair.second)]() mutable {
      ipc::Connection connection(io::Stream(std::move(fd)), "anvil");
      (void)serve(ledger, connection, seconds(20));
    });
    {
      ipc::Connection client(io::Stream(std::move(pair.first)), "smtpd");
      proto::AnvilConnect request;
      request.ident = std::string("smtp:a");
      Deadline soon = Deadline::after(seconds(20));
      for (uint32_t expected : {1U, 2U}) {
        ASSERT_TRUE(client.send(request, soon));
        EXPECT_EQ(client.receive_as<proto::AnvilReply>(soon)->count, expected);
      }
    }
    EXPECT_TRUE(serving.wait(Deadline::after(seconds(20))));
  });
  EXPECT_EQ(ledger.connect("smtp:a")->count, 1U);
}

}  // namespace
}  // namespace postrider::anvil
