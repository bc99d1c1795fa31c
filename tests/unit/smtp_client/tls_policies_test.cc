// Which policy a server gets: tables, and what the DNS has to say.
#include "smtp/tls_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../dns/dns_server.h"
#include "../dns/log_lines.h"
#include "clients/tables.h"
#include "dns/message.h"
#include "io/loop.h"
#include "smtp/settings.h"
#include "smtp/tables.h"
#include "support.h"

namespace postrider::smtp_client {
namespace {

using dns::Type;
using dns::test::LogLines;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tls::Level;

Deadline soon() {
  return Deadline::after(seconds(20));
}

const std::string kDigest(32, 'd'), kOtherDigest(32, 'o');
std::string tlsa(uint8_t usage, uint8_t selector, uint8_t matching, const std::string& data) {
  return std::string{static_cast<char>(usage), static_cast<char>(selector), static_cast<char>(matching)} +
         data;
}

class PoliciesTest : public testing::Test {
 protected:
  using Found = TlsPolicies::Found<TlsPolicy>;

  void SetUp() override {
    host_.name = host_.canonical = "mx.dest.test";
    host_.validated = true;
    host_.port = 25;
    host_.domain = host_.mx_owner = "dest.test";
    host_.mx_validated = true;
  }
  /// With the lines in main.cf, the policy for a destination and host_.
  Found find(const std::string& main_cf, std::string_view nexthop = "dest.test", bool relaxed = false) {
    Found out{TlsPolicy()};
    log_.lines.clear();
    io::run_with_loop([&] {
      dns::test::Server server;
      for (const auto& [name, data] : records_)
        server.add(name, Type::tlsa, data);
      for (const std::string& zone : secure_)
        server.secure(zone);
      for (const auto& [name, target] : aliases_)
        server.cname(name, target);
      if (!broken_.empty()) server.fail(broken_, Type::tlsa, dns::kServerFailure);
      {
        auto config =
            test::configuration("smtp_dns_support_level = dnssec\nsmtp_host_lookup = dns\n" + main_cf);
        Settings settings(config, Protocol::smtp, {});
        Tables tables(config, settings);
        dns::ResolverSettings how;
        how.fixed = server.conf();
        how.dnssec_probe = "";
        dns::Resolver resolver(how);
        tls::DaneDigests digests("sha512 sha256");
        TlsPolicies policies(settings.tls, tables.tls_policies, tables.tls_sites, resolver, &digests);
        out = policies.for_destination(nexthop, relaxed, soon());
        if (out) out = policies.for_host(*out, nexthop, host_, soon());
      }
      server.stop();
    });
    return out;
  }
  Level level(const std::string& main_cf, std::string_view nexthop = "dest.test") {
    auto found = find(main_cf, nexthop);
    EXPECT_TRUE(found) << (found ? "" : found.error().reason);
    return found ? found->level : Level::none;
  }
  std::string failure(const std::string& main_cf, std::string_view nexthop = "dest.test") {
    auto found = find(main_cf, nexthop);
    EXPECT_FALSE(found);
    return found ? "" : std::string(found.error().status.text()) + " " + found.error().reason;
  }

  LogLines log_;
  smtp::TlsHost host_;
  std::vector<std::pair<std::string, std::string>> records_;
  std::vector<std::string> secure_{"dest.test"};
  std::vector<std::pair<std::string, std::string>> aliases_;
  std::string broken_;
};

const std::string kDane = "smtp_tls_security_level = dane\n",
                  kDaneOnly = "smtp_tls_security_level = dane-only\n";
const std::string kName = "_25._tcp.mx.dest.test";

// Covers: smtp_tls_policy_maps, lmtp_tls_policy_maps
TEST_F(PoliciesTest, TheDestinationOrAParentDomain) {
  std::string maps =
      "smtp_tls_security_level = may\nsmtp_tls_policy_maps = inline:{ {dest.test = encrypt}, "
      "{.sub.test = verify}, {[mx.dest.test]:587 = secure}, {bad.test = nonsense} }\n";
  EXPECT_EQ(level(maps), Level::encrypt);
  EXPECT_EQ(level(maps, "a.b.sub.test"), Level::verify);
  EXPECT_EQ(level(maps, "sub.test"), Level::may);
  EXPECT_EQ(level(maps, "[mx.dest.test]:587"), Level::secure);
  EXPECT_EQ(level(maps, "[mx.sub.test]"), Level::may);
  EXPECT_EQ(level(maps, "other.test"), Level::may);
  EXPECT_EQ(failure(maps, "bad.test"), "4.7.5 client TLS configuration problem");
  EXPECT_THAT(log_.lines,
              ElementsAre("warning: smtp_tls_policy_maps, next-hop destination \"bad.test\": invalid "
                          "security level \"nonsense\""));
  EXPECT_EQ(failure("smtp_tls_policy_maps = fail:x\n"), "4.3.0 Temporary lookup error");
  EXPECT_THAT(
      log_.lines.back(),
      HasSubstr("smtp_tls_policy_maps, next-hop destination \"dest.test\": policy table lookup error"));
}

// Covers: smtp_tls_per_site, lmtp_tls_per_site
TEST_F(PoliciesTest, TablesOfTheOlderKind) {
  auto with = [&](const std::string& nexthop, const std::string& host, const std::string& global) {
    std::string entries;
    if (!nexthop.empty()) entries += " {dest.test = " + nexthop + "}";
    if (!host.empty()) entries += " {mx.dest.test = " + host + "}";
    return level("smtp_tls_security_level = " + global + "\nsmtp_tls_per_site = inline:{ {x = NONE} " +
                 entries + " }\n");
  };
  EXPECT_EQ(with("", "", "may"), Level::may);
  EXPECT_EQ(with("NONE", "", "may"), Level::none);
  EXPECT_EQ(with("may", "", "none"), Level::may);
  EXPECT_EQ(with("MUST_NOPEERMATCH", "", "none"), Level::encrypt);
  EXPECT_EQ(with("MUST", "", "none"), Level::verify);
  EXPECT_EQ(with("MAY", "NONE", "none"), Level::none);
  EXPECT_EQ(with("NONE", "MAY", "none"), Level::none);
  EXPECT_EQ(with("NONE", "MUST", "none"), Level::verify);
  EXPECT_EQ(with("MUST", "NONE", "none"), Level::verify);
  EXPECT_EQ(with("MAY", "", "encrypt"), Level::encrypt);
  EXPECT_EQ(with("NONE", "", "encrypt"), Level::none);
  EXPECT_EQ(failure("smtp_tls_per_site = inline:{ {dest.test = PERHAPS} }\n"),
            "4.7.5 client TLS configuration problem");
  EXPECT_THAT(log_.lines, ElementsAre("warning: smtp_tls_per_site: unknown TLS policy 'PERHAPS' for next-hop "
                                      "destination dest.test"));
  EXPECT_EQ(failure("smtp_tls_per_site = fail:x\n"), "4.3.0 Temporary lookup error");
  EXPECT_EQ(level("smtp_tls_policy_maps = inline:{ {x = may} }\nsmtp_tls_security_level = encrypt\n"
                  "smtp_tls_per_site = inline:{ {dest.test = NONE} }\n"),
            Level::encrypt);
}

// Covers: tls_required_enable
TEST_F(PoliciesTest, TheSenderMayPreferDelivery) {
  std::string strict =
      "smtp_tls_policy_maps = inline:{ {dest.test = secure} }\nsmtp_tls_security_level = dane\n";
  EXPECT_EQ(find(strict, "dest.test", true)->level, Level::may);
  EXPECT_EQ(find(strict + "smtp_tls_wrappermode = yes\n", "dest.test", true)->level, Level::encrypt);
  EXPECT_EQ(find(strict + "tls_required_enable = no\n", "dest.test", true)->level, Level::secure);
  EXPECT_EQ(find("smtp_tls_security_level = none\n", "dest.test", true)->level, Level::none);
}

TEST_F(PoliciesTest, HostsThatAPolicyOfMtaStsDoesNotName) {
  std::string maps =
      "smtp_tls_policy_maps = inline:{ {dest.test = secure policy_type=sts policy_domain=dest.test "
      "mx_host_pattern=*.dest.test} }\n";
  auto found = find(maps);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->by_host);
  EXPECT_THAT(found->match, ElementsAre("hostname"));
  host_.name = "mx.other.test";
  EXPECT_EQ(failure(maps), "4.7.5 MX name 'mx.other.test' does not match STS MX pattern for 'dest.test'");
}

TEST_F(PoliciesTest, RecordsOfTheHost) {
  records_ = {{kName, tlsa(3, 1, 1, kDigest)}, {kName, tlsa(2, 0, 1, kOtherDigest)}};
  auto found = find(kDane);
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->level, Level::dane);
  EXPECT_EQ(found->records.size(), 2U);
  EXPECT_EQ(found->base_domain, "mx.dest.test");
  EXPECT_THAT(found->match, ElementsAre("mx.dest.test", "dest.test", "dest.test"));
  EXPECT_TRUE(found->by_host);
  EXPECT_EQ(find(kDaneOnly)->level, Level::dane);
  EXPECT_EQ(find(kDaneOnly)->configured, Level::dane_only);
}

TEST_F(PoliciesTest, NoRecords) {
  EXPECT_EQ(level(kDane), Level::may);
  EXPECT_EQ(failure(kDaneOnly), "4.7.5 no TLSA records found");
  // What was not validated is no record.
  records_ = {{kName, tlsa(3, 1, 1, kDigest)}};
  secure_.clear();
  EXPECT_EQ(level(kDane), Level::may);
  host_.validated = false;
  secure_ = {"dest.test"};
  EXPECT_EQ(level(kDane), Level::may);
}

// Covers: smtp_tls_force_insecure_host_tlsa_lookup
TEST_F(PoliciesTest, RecordsOfHostsThatWereNotValidated) {
  host_.validated = false;
  records_ = {{kName, tlsa(3, 1, 1, kDigest)}};
  EXPECT_EQ(level(kDane), Level::may);
  EXPECT_EQ(level(kDane + "smtp_tls_force_insecure_host_tlsa_lookup = yes\n"), Level::dane);
}

TEST_F(PoliciesTest, RecordsThatAreOfNoUse) {
  records_ = {{kName, tlsa(1, 1, 1, kDigest)}, {kName, tlsa(3, 1, 1, "short")}};
  EXPECT_EQ(level(kDane), Level::encrypt);
  EXPECT_EQ(log_.lines.size(), 2U);
  EXPECT_THAT(log_.lines.front(),
              HasSubstr("_25._tcp.mx.dest.test unsupported TLSA certificate usage: 1 1 1 "));
  EXPECT_THAT(log_.lines.back(), HasSubstr("_25._tcp.mx.dest.test: unusable TLSA RR: 3 1 1 "));
  EXPECT_EQ(failure(kDaneOnly), "4.7.5 TLSA records unusable");
  records_.emplace_back(kName, tlsa(3, 1, 1, kDigest));
  EXPECT_EQ(find(kDane)->records.size(), 1U);
}

TEST_F(PoliciesTest, NobodyCanTell) {
  broken_ = kName;
  EXPECT_EQ(failure(kDane), "4.7.5 TLSA lookup error for mx.dest.test:25");
  EXPECT_THAT(log_.lines.front(),
              HasSubstr("DANE TLSA lookup problem: Host or domain name not found. Name service "
                        "error for name=_25._tcp.mx.dest.test type=TLSA: "));
}

// Covers: smtp_tls_dane_insecure_mx_policy
TEST_F(PoliciesTest, HostsThatWereFoundWithoutDnssec) {
  host_.mx_validated = false;
  records_ = {{kName, tlsa(3, 1, 1, kDigest)}};
  auto found = find(kDane);
  EXPECT_EQ(found->level, Level::half_dane);
  EXPECT_EQ(found->records.size(), 1U);
  found = find(kDane + "smtp_tls_dane_insecure_mx_policy = encrypt\n");
  EXPECT_EQ(found->level, Level::encrypt);
  EXPECT_THAT(found->records, IsEmpty());
  EXPECT_EQ(level(kDane + "smtp_tls_dane_insecure_mx_policy = may\n"), Level::may);
  EXPECT_EQ(failure(kDaneOnly), "4.7.5 non DNSSEC destination");
  host_.domain.clear();  // Not found by a mail exchanger record.
  EXPECT_EQ(level(kDane), Level::dane);
}

/// RFC 7672 section 2.2.2.
TEST_F(PoliciesTest, AliasesOfHosts) {
  host_.canonical = "real.test";
  secure_.push_back("real.test");
  records_ = {{kName, tlsa(3, 1, 1, kDigest)}, {"_25._tcp.real.test", tlsa(3, 1, 1, kOtherDigest)}};
  auto found = find(kDane);
  EXPECT_EQ(found->base_domain, "real.test");
  EXPECT_EQ(found->records.front().data, kOtherDigest);
  records_.pop_back();
  found = find(kDane);
  EXPECT_EQ(found->base_domain, "mx.dest.test");
  // An alias that is certain, to a host that is not.
  host_.validated = false;
  secure_ = {"dest.test"};
  EXPECT_EQ(level(kDane), Level::may);
  aliases_ = {{"mx.dest.test", "real.test"}};
  secure_ = {"mx.dest.test", "test"};
  EXPECT_EQ(level(kDane), Level::dane);
}

TEST_F(PoliciesTest, ConfigurationsThatCannotHaveDane) {
  auto complaint = [&](const std::string& lines) {
    EXPECT_EQ(level(kDane + lines), Level::may) << lines;
    std::string out = log_.lines.empty() ? "" : log_.lines.front();
    EXPECT_EQ(failure(kDaneOnly + lines), "4.7.5 client TLS configuration problem") << lines;
    return out;
  };
  EXPECT_EQ(complaint("smtp_dns_support_level = enabled\n"),
            "warning: dest.test: dane configured with dnssec lookups disabled");
  EXPECT_EQ(complaint("smtp_host_lookup = native\n"),
            "warning: dest.test: dane configured with dnssec lookups disabled");
  EXPECT_EQ(complaint("ignore_mx_lookup_error = yes\n"),
            "warning: dest.test: dane configured with MX lookup errors ignored");
  EXPECT_EQ(complaint("smtp_dns_resolver_options = res_defnames\n"),
            "warning: dest.test: dns resolver options incompatible with dane TLS");
  host_.port = 0;
  EXPECT_EQ(failure(kDane), "4.7.5 client TLS configuration problem");
}

}  // namespace
}  // namespace postrider::smtp_client
