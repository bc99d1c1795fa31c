#include "dns/list.h"

#include <gtest/gtest.h>

#include "sys/socket.h"

namespace postrider::dns {
namespace {

bool matches(std::string_view pattern, const char* address) {
  auto parsed = Ipv4Pattern::parse(pattern);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return parsed && parsed->matches(sys::Address::from_ip(address)->bytes());
}

TEST(Ipv4Pattern, OctetsCanBeNumbersListsAndRanges) {
  EXPECT_TRUE(matches("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(matches("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(matches("127.0.0.[1;3]", "127.0.0.3"));
  EXPECT_FALSE(matches("127.0.0.[1;3]", "127.0.0.2"));
  EXPECT_TRUE(matches("127.[0..255].0.[2..4;8]", "127.200.0.8"));
  EXPECT_FALSE(matches("127.0.0.[2..4;8]", "127.0.0.5"));
  EXPECT_FALSE(matches("127.0.0.1", "::1"));
}

TEST(Ipv4Pattern, OtherTextIsRefused) {
  for (const char* text :
       {"", "127.0.0", "127.0.0.1.2", "127.0.0.256", "127.0.0.[1", "127.0.0.[1,2]", "127.0.0.[]",
        "127.0.0.[3..1]", "127.0.0.1]", "127..0.1", "a.b.c.d", "127.0.0.00001"}) {
    EXPECT_FALSE(Ipv4Pattern::parse(text)) << text;
  }
  EXPECT_EQ(Ipv4Pattern::parse("127.0.0.[1").error().text, "need \";\" or \"]\" at \"127.0.0.[1><\"");
}

TEST(DnsList, AddressesAreAskedAboutBackwards) {
  EXPECT_EQ(reversed(*sys::Address::from_ip("192.0.2.1")), "1.2.0.192");
  EXPECT_EQ(reversed(*sys::Address::from_ip("2001:db8::7")),
            "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
  EXPECT_EQ(reversed(sys::Address()), "");
}

}  // namespace
}  // namespace postrider::dns
