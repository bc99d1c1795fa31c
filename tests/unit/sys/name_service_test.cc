#include "sys/name_service.h"

#include <gtest/gtest.h>

namespace postrider::sys {
namespace {

TEST(NameService, NumericHostsNeedNoLookup) {
  HostAnswer answer = get_host_addresses("192.0.2.1", AF_UNSPEC);
  ASSERT_TRUE(answer.found());
  ASSERT_EQ(answer.addresses.size(), 1u);
  EXPECT_EQ(answer.addresses[0].ip(), "192.0.2.1");
}

TEST(NameService, AnAddressOfTheWrongFamilyIsAnError) {
  HostAnswer answer = get_host_addresses("192.0.2.1", AF_INET6);
  EXPECT_FALSE(answer.found());
  EXPECT_FALSE(answer.temporary());
  EXPECT_NE(answer.text, "");
}

TEST(NameService, ErrorsHaveTheWordsOfTheSystem) {
  EXPECT_EQ(HostAnswer::failed(HostError::unknown_host).text, host_error_text(HostError::unknown_host));
  EXPECT_NE(host_error_text(HostError::unknown_host), "");
  EXPECT_NE(host_error_text(HostError::unknown_host), host_error_text(HostError::try_again));
  EXPECT_TRUE(HostAnswer::failed(HostError::try_again).temporary());
}

}  // namespace
}  // namespace postrider::sys
