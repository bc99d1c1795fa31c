#include "sys/interfaces.h"

#include <gtest/gtest.h>

namespace postrider::sys {
namespace {

TEST(Interfaces, AddressesHaveSensiblePrefixes) {
  auto all = interface_addresses();
  ASSERT_TRUE(all);
  for (const auto& [address, prefix_length] : *all) {
    EXPECT_TRUE(address.is_ip());
    EXPECT_GE(prefix_length, 0);
    EXPECT_LE(prefix_length, static_cast<int>(address.bytes().size()) * 8);
  }
}

TEST(Interfaces, NumericHostsResolveToThemselves) {
  auto found = resolve_host("192.0.2.1");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].ip(), "192.0.2.1");
  EXPECT_EQ(resolve_host("2001:db8::1").at(0).ip(), "2001:db8::1");
  EXPECT_TRUE(resolve_host("no host name").empty());
}

}  // namespace
}  // namespace postrider::sys
