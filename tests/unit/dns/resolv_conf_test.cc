#include "dns/resolv_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> ips(const ResolvConf& conf) {
  std::vector<std::string> out;
  for (const sys::Address& server : conf.servers)
    out.push_back(server.ip());
  return out;
}

TEST(ResolvConf, ReadsServersSearchAndOptions) {
  ResolvConf conf = parse_resolv_conf(
      "# comment\n"
      "nameserver 192.0.2.1\n"
      "nameserver\t2001:db8::53 # by the door\n"
      "search one.test two.test.\n"
      "options ndots:2 timeout:3 attempts:4 rotate use-vc\n",
      "host.site.test");
  EXPECT_THAT(ips(conf), ElementsAre("192.0.2.1", "2001:db8::53"));
  EXPECT_EQ(conf.servers[0].port(), 53);
  EXPECT_THAT(conf.search, ElementsAre("one.test", "two.test"));
  EXPECT_EQ(conf.ndots, 2u);
  EXPECT_EQ(conf.timeout, seconds(3));
  EXPECT_EQ(conf.attempts, 4u);
  EXPECT_TRUE(conf.rotate);
  EXPECT_TRUE(conf.use_tcp);
}

TEST(ResolvConf, AnEmptyFileMeansAServerHereAndTheOwnDomain) {
  ResolvConf conf = parse_resolv_conf("", "host.site.test");
  EXPECT_THAT(ips(conf), ElementsAre("127.0.0.1"));
  EXPECT_THAT(conf.search, ElementsAre("site.test"));
  EXPECT_EQ(conf.timeout, seconds(5));
  EXPECT_EQ(conf.attempts, 2u);
  EXPECT_THAT(parse_resolv_conf("", "host").search, IsEmpty());
}

TEST(ResolvConf, TheLastOfDomainAndSearchWins) {
  EXPECT_THAT(parse_resolv_conf("search a b\ndomain c\n", "h.d").search, ElementsAre("c"));
  EXPECT_THAT(parse_resolv_conf("domain c\nsearch a b\n", "h.d").search, ElementsAre("a", "b"));
  EXPECT_THAT(parse_resolv_conf("search .\n", "h.d").search, IsEmpty());
}

TEST(ResolvConf, ValuesHaveLimits) {
  ResolvConf conf = parse_resolv_conf(
      "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
      "options ndots:99 timeout:999 attempts:999\noptions timeout:0\n",
      "");
  EXPECT_EQ(conf.servers.size(), 3u);
  EXPECT_EQ(conf.ndots, 15u);
  EXPECT_EQ(conf.timeout, seconds(1));
  EXPECT_EQ(conf.attempts, 5u);
}

TEST(ResolvConf, NonsenseIsSkipped) {
  ResolvConf conf =
      parse_resolv_conf("nameserver nonsense\nnameserver\noptions ndots:x timeout\nfoo bar\n;x\n\n", "");
  EXPECT_THAT(ips(conf), ElementsAre("127.0.0.1"));
  EXPECT_EQ(conf.ndots, 1u);
}

}  // namespace
}  // namespace postrider::dns
