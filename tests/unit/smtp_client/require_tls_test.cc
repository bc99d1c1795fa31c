#include "smtp/require_tls.h"

#include <gtest/gtest.h>

#include "clients/tables.h"
#include "config/params/lmtp_tls.h"
#include "config/params/smtp_tls.h"
#include "smtp/ledger.h"
#include "support.h"

namespace postrider::smtp_client {
namespace {

class RulesTest : public testing::Test {
 protected:
  std::optional<RequireTls> find(const std::string& rules, std::string_view destination) {
    auto config = test::configuration("mydomain = own.test\n" +
                                      (rules.empty() ? "" : "smtp_requiretls_policy = " + rules + "\n"));
    table::Catalog catalog(clients::table_options(config));
    std::vector<std::string> paths;
    RequireTlsRules found(catalog, config, config::params::smtp_requiretls_policy, paths);
    auto action = found.find(destination, Deadline::after(seconds(10)));
    return action ? std::optional(*action) : std::nullopt;
  }
};

// Covers: smtp_requiretls_policy
TEST_F(RulesTest, OwnDomainsAndAddressesAreLeftAlone) {
  EXPECT_EQ(find("", "dest.test"), RequireTls::enforce);
  EXPECT_EQ(find("", "own.test"), RequireTls::opportunistic);
  EXPECT_EQ(find("", "a.b.OWN.test"), RequireTls::opportunistic);
  EXPECT_EQ(find("", "localhost"), RequireTls::opportunistic);
  EXPECT_EQ(find("", "192.0.2.1"), RequireTls::opportunistic);
  EXPECT_EQ(find("", "2001:db8::1"), RequireTls::opportunistic);
}

TEST_F(RulesTest, TheFirstThatHasSomethingToSay) {
  std::string rules =
      "inline:{ {a.test=disable} {.b.test=opportunistic+starttls} {x--.test=disable} }, "
      "regexp:{ {/^c\\.test/ ENFORCE} {/^\\.d/ disable} }, opportunistic, disable";
  EXPECT_EQ(find(rules, "a.test"), RequireTls::off);
  EXPECT_EQ(find(rules, "b.test"), RequireTls::opportunistic);
  EXPECT_EQ(find(rules, "x.b.test"), RequireTls::starttls);
  EXPECT_EQ(find(rules, "c.test"), RequireTls::enforce);
  EXPECT_EQ(find(rules, "x.d.test"), RequireTls::opportunistic);  // Patterns get the whole name alone.
  EXPECT_EQ(find("inline:{ {a.test=disable} }", "other.test"), RequireTls::enforce);
  EXPECT_EQ(find("inline:{ {xn--bcher-kva.test=disable} }",
                 "b\xc3\xbc"
                 "cher.test"),
            RequireTls::off);
}

TEST_F(RulesTest, NobodyCanTell) {
  EXPECT_FALSE(find("fail:x", "a.test"));
  EXPECT_FALSE(find("perhaps", "a.test"));
  EXPECT_FALSE(find("inline:{ {a.test=inline:x} }", "a.test"));
  EXPECT_THROW(find("nosuch:", "a.test"), config::ConfigError);
}

// Covers: lmtp_requiretls_policy
TEST_F(RulesTest, LmtpIsForNearbyServers) {
  auto config = test::configuration("");
  table::Catalog catalog(clients::table_options(config));
  std::vector<std::string> paths;
  RequireTlsRules rules(catalog, config, config::params::lmtp_requiretls_policy, paths);
  EXPECT_EQ(*rules.find("dest.test", Deadline::never()), RequireTls::opportunistic);
}

TEST(RequireStatus, WhatTheLogSays) {
  EXPECT_EQ(require_status(RequireMark::none), "");
  EXPECT_EQ(require_status(RequireMark::open), "/requiretls?");
  EXPECT_EQ(require_status(RequireMark::passed_on), "/requiretls");
  EXPECT_EQ(require_status(RequireMark::violated), "/!requiretls");
}

}  // namespace
}  // namespace postrider::smtp_client
