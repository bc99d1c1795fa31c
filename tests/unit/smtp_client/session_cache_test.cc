#include "smtp/session_cache.h"

#include <gtest/gtest.h>

#include "io/fiber.h"
#include "io/loop.h"
#include "support.h"
#include "sys/socket.h"

namespace postrider::smtp_client {
namespace {

constexpr seconds kLong{100};

/// A session and the descriptor of its server.
struct Kept {
  std::unique_ptr<ServerSession> session;
  sys::Fd server;
};

Kept make(const std::string& host) {
  auto pair = sys::make_socket_pair(SOCK_STREAM).value();
  Kept out;
  out.session = std::make_unique<ServerSession>(io::Stream(std::move(pair.first)),
                                                smtp::Peer{host, "192.0.2.1", 25}, smtp::test::settings());
  out.server = std::move(pair.second);
  return out;
}

TEST(SessionCache, FindsASessionByDestinationOrAddressOnce) {
  io::run_with_loop([] {
    SessionCache cache(kLong, 10);
    Kept one = make("one.test"), two = make("two.test");
    cache.store(std::move(one.session), "dest.test 25", "192.0.2.1 25");
    cache.store(std::move(two.session), "", "192.0.2.1 25");
    EXPECT_FALSE(cache.take_by_destination("other.test 25"));
    auto found = cache.take_by_destination("dest.test 25");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->host(), "one.test");
    EXPECT_FALSE(cache.take_by_destination("dest.test 25"));
    found = cache.take_by_address("192.0.2.1 25");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->host(), "two.test");
    EXPECT_FALSE(cache.take_by_address("192.0.2.1 25"));
    EXPECT_EQ(cache.size(), 0u);

    CacheCounts counts = cache.take_counts();
    EXPECT_EQ(counts.destination_hits, 1u);
    EXPECT_EQ(counts.destination_misses, 2u);
    EXPECT_EQ(counts.address_hits, 1u);
    EXPECT_EQ(counts.connections, 2u);
    EXPECT_EQ(cache.take_counts().destination_hits, 0u);
  });
}

TEST(SessionCache, PassesOverSessionsThatHaveEnded) {
  io::run_with_loop([] {
    SessionCache cache(kLong, 10);
    Kept gone = make("gone.test"), rude = make("rude.test"), good = make("good.test");
    cache.store(std::move(gone.session), "", "a");
    cache.store(std::move(rude.session), "", "a");
    cache.store(std::move(good.session), "", "a");
    gone.server.reset();
    ASSERT_TRUE(sys::write_all(rude.server.get(), "421 4.4.2 timeout\r\n"));
    auto found = cache.take_by_address("a");
    while (found && found->host() != "good.test")
      found = cache.take_by_address("a");
    EXPECT_TRUE(found);
  });
}

TEST(SessionCache, DropsTheOldestWhenItIsFull) {
  io::run_with_loop([] {
    SessionCache cache(kLong, 2);
    std::vector<Kept> kept;
    for (const char* host : {"a", "b", "c"}) {
      kept.push_back(make(host));
      cache.store(std::move(kept.back().session), host, "address");
    }
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_FALSE(cache.take_by_destination("a"));
    EXPECT_TRUE(cache.take_by_destination("b"));
    EXPECT_TRUE(cache.take_by_destination("c"));
  });
}

TEST(SessionCache, ForgetsIdleSessions) {
  io::run_with_loop([] {
    SessionCache cache(milliseconds(1), 10);
    Kept one = make("one.test");
    cache.store(std::move(one.session), "dest", "address");
    while (cache.size() > 0)
      io::sleep_for(milliseconds(1));
    EXPECT_FALSE(cache.take_by_address("address"));
  });
}

}  // namespace
}  // namespace postrider::smtp_client
