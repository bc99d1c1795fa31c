// Keys that change, and sessions that grow old.
#include "tlsmgr/service.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "clients/cache_table.h"
#include "clients/tables.h"
#include "io/loop.h"
#include "log/log.h"
#include "table/open.h"
#include "tlsmgr/randomness.h"

namespace postrider::tlsmgr {
namespace {

Deadline soon() {
  return Deadline::after(seconds(10));
}

/// Bytes that tell how often they were asked for.
struct Counted {
  std::shared_ptr<char> next = std::make_shared<char>('a');
  bool operator()(std::string& bytes) const {
    bytes.assign(bytes.size(), (*next)++);
    return true;
  }
};

TEST(KeyRing, AKeyMakesTicketsForHalfOfTheTimeAndOpensThemAsLongAgain) {
  KeyRing ring(seconds(100), Counted());
  tls::TicketKeys first = ring.at(1000);
  ASSERT_TRUE(first.current);
  EXPECT_FALSE(first.previous);
  EXPECT_EQ(first.current->expires, 1050);
  EXPECT_EQ(first.current->name.size(), tls::TicketKey::kNameSize);
  EXPECT_EQ(ring.at(1049).current->name, first.current->name);
  tls::TicketKeys second = ring.at(1050);
  EXPECT_NE(second.current->name, first.current->name);
  ASSERT_TRUE(second.previous);
  EXPECT_EQ(second.previous->name, first.current->name);
  EXPECT_EQ(second.current->expires, 1100);
  EXPECT_TRUE(ring.at(1099).previous);
  // Nobody has asked for long: what was made then opens nothing any more.
  tls::TicketKeys late = ring.at(5000);
  EXPECT_FALSE(late.previous);
  EXPECT_NE(late.current->name, second.current->name);
}

TEST(KeyRing, NoneWithoutTimeOrRandomness) {
  EXPECT_FALSE(KeyRing(seconds(0), Counted()).at(1000).current);
  EXPECT_FALSE(KeyRing(seconds(100), [](std::string&) { return false; }).at(1000).current);
}

class TlsmgrTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-tlsmgr-XXXXXX";
    directory_ = mkdtemp(name);
  }
  void TearDown() override { std::system(("rm -rf " + directory_).c_str()); }

  Service make_service() {
    table::OpenOptions options;
    options.behaviour = {.fold_fixed = false, .fold_patterns = false, .utf8 = false};
    options.access = table::Access::exclusive;
    options.create_mode = 0600;
    options.duplicates = table::Duplicates::replace;
    Service::Caches caches;
    auto table = table::open("lmdb:" + directory_ + "/cache", options);
    EXPECT_TRUE(table) << (table ? "" : table.error().text);
    caches[0] = std::make_unique<SessionCache>(std::move(*table), seconds(100));
    return Service(KeyRing(seconds(100), Counted()), std::move(caches), [this] { return now_; });
  }
  static proto::TlsSession request(proto::TlsSession::Action action, std::string_view id,
                                   std::string_view data = {}) {
    proto::TlsSession out;
    out.action = action;
    out.id = id;
    out.data = data;
    return out;
  }
  static std::string found(Service& service, std::string_view id,
                           proto::TlsCache cache = proto::TlsCache::smtpd) {
    proto::TlsSession asked = request(proto::TlsSession::Action::find, id);
    asked.cache = cache;
    auto reply = service.session(asked, soon());
    return !reply ? "<error>" : reply->data ? std::string(*reply->data) : "<none>";
  }

  std::string directory_;
  std::time_t now_ = 1'000'000;
};

TEST_F(TlsmgrTest, SessionsAreKeptForTheirTime) {
  using Action = proto::TlsSession::Action;
  Service service = make_service();
  std::string data("\0binary\xff", 8);
  EXPECT_EQ(found(service, "id"), "<none>");
  ASSERT_TRUE(service.session(request(Action::save, "id", data), soon()));
  EXPECT_EQ(found(service, "id"), data);
  EXPECT_EQ(found(service, "ID"), "<none>");
  EXPECT_EQ(found(service, "id", proto::TlsCache::smtp), "<none>");
  now_ += 100;
  EXPECT_EQ(found(service, "id"), data);
  now_ += 1;
  EXPECT_EQ(found(service, "id"), "<none>");
  ASSERT_TRUE(service.session(request(Action::save, "id", "newer"), soon()));
  EXPECT_EQ(found(service, "id"), "newer");
  ASSERT_TRUE(service.session(request(Action::remove, "id"), soon()));
  EXPECT_EQ(found(service, "id"), "<none>");
}

TEST_F(TlsmgrTest, OldSessionsAreRemoved) {
  using Action = proto::TlsSession::Action;
  Service service = make_service();
  ASSERT_TRUE(service.session(request(Action::save, "old", "x"), soon()));
  now_ += 200;
  ASSERT_TRUE(service.session(request(Action::save, "new", "x"), soon()));
  std::string line;
  log::set_test_sink([&](log::Severity, std::string_view text) { line = text; });
  io::run_with_loop([&] {
    SessionCache& cache = *service.caches()[0];
    clients::sweep_cache(cache.records(),
                         [&](std::string_view entry) { return cache.is_expired(entry, now_); });
  });
  log::set_test_sink(nullptr);
  EXPECT_EQ(line, "cache lmdb:" + directory_ + "/cache full cleanup: retained=1 dropped=1 entries");
}

TEST_F(TlsmgrTest, KeysAndSeeds) {
  Service service = make_service();
  auto keys = service.ticket_keys();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->keys.size(), 1U);
  EXPECT_EQ(keys->keys[0].expires, now_ + 50);
  proto::TlsSeed asked;
  asked.bytes = 40;
  EXPECT_EQ(service.seed(asked)->seed.size(), 40U);
  asked.bytes = 1'000'000;
  EXPECT_EQ(service.seed(asked)->seed.size(), proto::kMaxTlsSeed);
}

TEST_F(TlsmgrTest, RequestsThatMakeNoSense) {
  Service service = make_service();
  EXPECT_EQ(found(service, ""), "<error>");
  EXPECT_EQ(found(service, "id", static_cast<proto::TlsCache>(9)), "<error>");
  EXPECT_FALSE(service.session(request(static_cast<proto::TlsSession::Action>(7), "id"), soon()));
}

}  // namespace
}  // namespace postrider::tlsmgr
