#include "mailbox/delivered_to.h"

#include <gtest/gtest.h>

#include "support.h"

namespace postrider::mailbox {
namespace {

DeliveredTo read(std::string_view text) {
  MemoryMessage message(text);
  auto found = DeliveredTo::read(message, 0);
  return found ? std::move(*found) : DeliveredTo();
}

TEST(DeliveredTo, FindsEveryAddressWithoutRegardToCase) {
  DeliveredTo found = read(
      "Received: x\n\tby y\nDelivered-To: Alice@Site.test\nSubject: s\ndelivered-to:  bob@site.test"
      "\n\nbody\n");
  EXPECT_TRUE(found.contains("alice@site.test"));
  EXPECT_TRUE(found.contains("BOB@site.test"));
  EXPECT_FALSE(found.contains("carol@site.test"));
}

TEST(DeliveredTo, UnquotesAddresses) {
  EXPECT_TRUE(read("Delivered-To: \"odd name\"@site.test\n\n").contains("odd name@site.test"));
}

TEST(DeliveredTo, LooksOnlyIntoTheHeader) {
  EXPECT_TRUE(read("Subject: s\n\nDelivered-To: alice@site.test\n").empty());
  EXPECT_TRUE(read("no header at all\nDelivered-To: alice@site.test\n").empty());
}

TEST(DeliveredTo, TakesNoContinuationForAHeader) {
  EXPECT_TRUE(read("Subject: s\n Delivered-To: alice@site.test\n\n").empty());
}

TEST(DeliveredTo, BlanksBehindAnAddressBelongToIt) {
  EXPECT_FALSE(read("Delivered-To: bob@site.test \n\n").contains("bob@site.test"));
}

TEST(DeliveredTo, EndsWhereTheFileIsDamaged) {
  MemoryMessage message("Delivered-To: bob@site.test\n");
  message.damage();
  auto found = DeliveredTo::read(message, 0);
  ASSERT_TRUE(found);
}

}  // namespace
}  // namespace postrider::mailbox
