#include "postscreen/dnsbl_sites.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::postscreen {
namespace {

constexpr uint32_t kTwo = 0x7f000002, kThree = 0x7f000003;

std::string problem(std::string_view list) {
  auto sites = DnsblSites::parse(list);
  return sites ? "" : sites.error().text;
}

TEST(DnsblSites, FiltersAndWeightsAreOptional) {
  auto sites = DnsblSites::parse("a.test, b.test=127.0.0.[2..4;8]*2 A.test*-3,\n c.test=127.0.0.2");
  ASSERT_TRUE(sites);
  EXPECT_THAT(sites->domains(), testing::ElementsAre("a.test", "b.test", "c.test"));
  ASSERT_EQ(sites->sites().size(), 4U);
  EXPECT_EQ(sites->sites()[0].weight, 1);
  EXPECT_FALSE(sites->sites()[0].filter);
  EXPECT_EQ(sites->sites()[1].weight, 2);
  EXPECT_TRUE(sites->sites()[1].filter);
  EXPECT_EQ(sites->sites()[2].weight, -3);
  EXPECT_EQ(sites->sites()[3].weight, 1);
  EXPECT_TRUE(DnsblSites::parse("")->sites().empty());
}

TEST(DnsblSites, MistakesAreNamed) {
  EXPECT_EQ(problem("a.test*x"), "bad DNSBL weight factor \"x\" in \"a.test*x\"");
  EXPECT_EQ(problem("a.test*"), "bad DNSBL weight factor \"\" in \"a.test*\"");
  EXPECT_EQ(problem("a.test*2*3"), "bad DNSBL weight factor \"2*3\" in \"a.test*2*3\"");
  EXPECT_EQ(problem("a.test*2=1.2.3.4"), "bad DNSBL weight factor \"2=1.2.3.4\" in \"a.test*2=1.2.3.4\"");
  EXPECT_EQ(problem("a.test*99999999999"),
            "bad DNSBL weight factor \"99999999999\" in \"a.test*99999999999\"");
  EXPECT_EQ(problem("a.test=1.2.3"), "bad DNSBL filter syntax: need \".\" at \"1.2.3><\"");
  EXPECT_EQ(problem("=1.2.3.4"), "bad DNSBL domain name \"\" in \"=1.2.3.4\"");
  EXPECT_EQ(problem("[1.2.3.4]*2"), "bad DNSBL domain name \"[1.2.3.4]\" in \"[1.2.3.4]*2\"");
}

class ScoreTest : public testing::Test {
 protected:
  void use(std::string_view list) { sites_ = *DnsblSites::parse(list); }
  DnsblScore score() { return DnsblScore(sites_); }
  DnsblSites sites_;
};

TEST_F(ScoreTest, EachItemCountsOnceWhateverTheListSays) {
  use("a.test a.test=127.0.0.2*2 a.test=127.0.0.[3;4]*4 b.test*8");
  DnsblScore s = score();
  s.add("a.test", std::array{kTwo, kThree, kTwo}, 100);
  EXPECT_FALSE(s.complete());
  s.add("b.test", {}, 50);
  EXPECT_TRUE(s.complete());
  EXPECT_EQ(s.total(), 7);
  EXPECT_EQ(s.worst_domain(), "a.test");
}

TEST_F(ScoreTest, TheHeaviestListIsNamedAndTheFirstOfEquals) {
  use("a.test*2 b.test*3 c.test*3 w.test*-9");
  DnsblScore s = score();
  for (const char* domain : {"c.test", "w.test", "a.test", "b.test"})
    s.add(domain, std::array{kTwo}, 10);
  EXPECT_EQ(s.total(), -1);
  EXPECT_EQ(s.worst_domain(), "b.test");
}

TEST_F(ScoreTest, ListsThatGiveNoAnswerDoNotCount) {
  use("a.test b.test c.test");
  DnsblScore s = score();
  s.give_up();
  EXPECT_FALSE(s.ttl());
  s.add("b.test", {}, -1);
  EXPECT_FALSE(s.ttl());
  s.add("c.test", {}, 30);
  EXPECT_TRUE(s.complete());
  EXPECT_EQ(s.ttl(), 30);
  EXPECT_EQ(s.total(), 0);
  EXPECT_EQ(s.worst_domain(), "");
}

}  // namespace
}  // namespace postrider::postscreen
