#include "mail/verp.h"

#include <gtest/gtest.h>

namespace postrider::mail {
namespace {

TEST(Verp, SenderNamesTheRecipient) {
  EXPECT_EQ(verp_sender("+=", "list@site.test", "ann@dest.test"), "list+ann=dest.test@site.test");
  EXPECT_EQ(verp_sender("-=", "list-owner@site.test", "a+b@dest.test"), "list-owner-a+b=dest.test@site.test");
}

TEST(Verp, AddressesWithoutDomain) {
  EXPECT_EQ(verp_sender("+=", "list", "ann@dest.test"), "list+ann=dest.test");
  EXPECT_EQ(verp_sender("+=", "list@site.test", "ann"), "list+ann@site.test");
}

}  // namespace
}  // namespace postrider::mail
