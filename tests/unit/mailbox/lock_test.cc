#include "mailbox/lock.h"

#include <cerrno>

#include "support.h"

// Covers: deliver_lock_attempts, stale_lock_time
namespace postrider::mailbox {
namespace {

class Lock : public WithDirectory {};

TEST_F(Lock, ADotLockIsExclusiveAndGoesWithItsHolder) {
  LockPolicy policy{.attempts = 2, .delay = seconds(0)};
  {
    auto held = DotLock::take(path("box"), policy);
    ASSERT_TRUE(held);
    EXPECT_TRUE(sys::exists(path("box.lock")));
    auto second = DotLock::take(path("box"), policy);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, EEXIST);
  }
  EXPECT_FALSE(sys::exists(path("box.lock")));
  EXPECT_TRUE(DotLock::take(path("box"), policy));
}

TEST_F(Lock, AStaleDotLockIsRemoved) {
  write(path("box.lock"), "");
  LockPolicy policy{.attempts = 2, .delay = seconds(0), .stale_time = seconds(-10)};
  EXPECT_TRUE(DotLock::take(path("box"), policy));
}

TEST(LockMethods, AreWordsOfTheParameter) {
  EXPECT_EQ(parse_lock_methods("mailbox_delivery_lock", "fcntl, dotlock").value(),
            (LockMethods{.flock = false, .fcntl = true, .dotlock = true}));
  EXPECT_EQ(parse_lock_methods("mailbox_delivery_lock", "flock").value(), (LockMethods{.flock = true}));
  auto unknown = parse_lock_methods("mailbox_delivery_lock", "fcntl, magic");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().text, "unknown mailbox_delivery_lock value \"magic\" in \"fcntl, magic\"");
  auto none = parse_lock_methods("virtual_mailbox_lock", " ");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().text,
            "parameter virtual_mailbox_lock specifies no applicable mailbox locking method");
}

}  // namespace
}  // namespace postrider::mailbox
