// Entries of policy tables, and what is made of them.
#include "smtp/tls_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../dns/log_lines.h"
#include "smtp/ledger.h"
#include "support.h"

namespace postrider::smtp_client {
namespace {

using dns::test::LogLines;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tls::Level;

TlsSettings read(const std::string& main_cf, bool lmtp = false) {
  return TlsSettings(test::configuration(main_cf), lmtp);
}

class PolicyTest : public testing::Test {
 protected:
  std::optional<TlsPolicy> parse(std::string_view text) {
    return parse_tls_policy(text, "table, key", settings);
  }
  /// The only warning.
  std::string complaint(std::string_view text) {
    log.lines.clear();
    EXPECT_FALSE(parse(text)) << text;
    EXPECT_EQ(log.lines.size(), 1U) << text;
    return log.lines.empty() ? "" : log.lines.front();
  }
  LogLines log;
  TlsSettings settings = read("");
};

TEST_F(PolicyTest, ALevelAndItsAttributes) {
  auto policy = parse("encrypt protocols=TLSv1.2:TLSv1.3, Ciphers=high exclude=MD5:aNULL servername=a.test");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->level, Level::encrypt);
  EXPECT_EQ(policy->protocols, "TLSv1.2:TLSv1.3");
  EXPECT_EQ(policy->cipher_grade, "high");
  EXPECT_EQ(policy->cipher_exclusions, "MD5:aNULL");
  EXPECT_EQ(policy->server_name, "a.test");
  EXPECT_FALSE(policy->connection_reuse);
  EXPECT_TRUE(parse("MAY connection_reuse=yes")->connection_reuse);
  EXPECT_FALSE(parse("may connection_reuse=yes connection_reuse=no")->connection_reuse);
  EXPECT_TRUE(parse("may enable_rpk=no"));
  EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(PolicyTest, NamesAndFingerprints) {
  EXPECT_THAT(parse("secure match=nexthop:.example.test match=other.test")->match,
              ElementsAre("nexthop", ".example.test", "other.test"));
  EXPECT_EQ(parse("fingerprint match=00:11|22:33 match=4455")->records.size(), 6U);
  EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(PolicyTest, MistakesAreTold) {
  EXPECT_EQ(complaint(""), "warning: table, key: invalid empty policy");
  EXPECT_EQ(complaint("nonsense"), "warning: table, key: invalid security level \"nonsense\"");
  EXPECT_EQ(complaint("halfdane"), "warning: table, key: invalid security level \"halfdane\"");
  EXPECT_EQ(complaint("may bogus=1"), "warning: table, key: invalid attribute name: \"bogus\"");
  EXPECT_EQ(
      complaint("may bogus"),
      "warning: table, key: malformed attribute/value pair \"bogus\": missing '=' after attribute name");
  EXPECT_EQ(complaint("may =x"),
            "warning: table, key: malformed attribute/value pair \"=x\": missing attribute name");
  EXPECT_EQ(complaint("may ciphers="), "warning: table, key: attribute \"ciphers\" has empty value");
  EXPECT_EQ(complaint("may protocols=a protocols=b"),
            "warning: table, key: attribute \"protocols\" is specified multiple times");
  EXPECT_EQ(complaint("encrypt match=x"),
            "warning: table, key: attribute \"match\" invalid at security level \"encrypt\"");
  EXPECT_EQ(complaint("dane tafile=/x"),
            "warning: table, key: attribute \"tafile\" invalid at security level \"dane\"");
  EXPECT_EQ(complaint("may connection_reuse=2"),
            "warning: table, key: attribute \"connection_reuse\" has bad value: \"2\"");
  EXPECT_EQ(complaint("may servername=a..b"),
            "warning: table, key: \"servername=a..b\" specifies an invalid hostname");
  EXPECT_EQ(complaint("secure tafile=/nonexistent/ta"),
            "warning: error opening trust anchor file: /nonexistent/ta: No such file or directory");
}

TEST_F(PolicyTest, WithoutTlsAttributesMeanNothing) {
  ASSERT_TRUE(parse("none ciphers=high match=x"));
  EXPECT_THAT(log.lines,
              ElementsAre("warning: table, key: ignoring attribute \"ciphers=high\" with TLS disabled",
                          "warning: table, key: ignoring attribute \"match=x\" with TLS disabled"));
}

// Covers: smtp_tls_enforce_sts_mx_patterns, lmtp_tls_enforce_sts_mx_patterns
TEST_F(PolicyTest, PoliciesOfMtaSts) {
  const char* text =
      "secure policy_type=sts policy_domain=dest.test { policy_string = version: STSv1 } "
      "{ policy_string = mode: enforce } policy_ttl=86400 mx_host_pattern=mx.dest.test "
      "{ mx_host_pattern = *.mail.test } match=mail.test servername=hostname";
  auto policy = parse(text);
  ASSERT_TRUE(policy);
  EXPECT_THAT(policy->match, ElementsAre("hostname"));
  EXPECT_EQ(policy->sts.domain, "dest.test");
  EXPECT_TRUE(policy->sts.allows("MX.dest.test"));
  EXPECT_TRUE(policy->sts.allows("a.mail.test"));
  EXPECT_FALSE(policy->sts.allows("b.a.mail.test"));
  EXPECT_FALSE(policy->sts.allows("mail.test"));
  EXPECT_FALSE(policy->sts.allows(".mail.test"));
  EXPECT_FALSE(policy->sts.allows("other.test"));
  EXPECT_TRUE(policy->sts.restricts_hosts);
  EXPECT_THAT(policy->sts.lines, ElementsAre("version: STSv1", "mode: enforce"));
  settings.enforce_sts_patterns = false;
  policy = parse(text);
  EXPECT_THAT(policy->match, ElementsAre("mail.test"));
  EXPECT_FALSE(policy->sts.restricts_hosts);
  EXPECT_TRUE(parse("may policy_type=no-policy-found"));
  policy = parse("may policy_type=sts policy_failure=sts-webpki-invalid");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->sts.failure, "sts-webpki-invalid");
  // Sessions of those who know the policy are not for those who do not.
  EXPECT_NE(policy->identity(), parse("may policy_type=sts")->identity());
  EXPECT_THAT(log.lines, IsEmpty());
  EXPECT_FALSE(read("smtp_tls_enforce_sts_mx_patterns = no\n").enforce_sts_patterns);
  EXPECT_FALSE(read("lmtp_tls_enforce_sts_mx_patterns = no\n", true).enforce_sts_patterns);
}

TEST_F(PolicyTest, MistakesInPoliciesOfMtaSts) {
  EXPECT_THAT(complaint("secure policy_domain=dest.test"), HasSubstr("policy_type"));
  EXPECT_THAT(complaint("secure policy_type=tlsa"), HasSubstr("bad value"));
  EXPECT_THAT(complaint("may policy_type=sts policy_type=sts"), HasSubstr("multiple times"));
  EXPECT_THAT(complaint("may policy_type=sts policy_failure=x"), HasSubstr("bad value"));
  EXPECT_THAT(complaint("may policy_type=sts policy_ttl=1 policy_ttl=1"), HasSubstr("multiple times"));
  EXPECT_THAT(complaint("may policy_type=sts policy_ttl=x"), HasSubstr("bad value"));
  EXPECT_THAT(complaint("may policy_type=sts mx_host_pattern="), HasSubstr("empty value"));
  EXPECT_THAT(complaint("may policy_type=sts mx_host_pattern=*.*.test"), HasSubstr("bad value"));
  EXPECT_THAT(complaint("may policy_type=sts { mx_host_pattern=x"), HasSubstr("{"));
}

// Covers: smtp_tls_ciphers, smtp_tls_mandatory_ciphers, smtp_tls_exclude_ciphers,
// smtp_tls_mandatory_exclude_ciphers, smtp_tls_protocols, smtp_tls_mandatory_protocols,
// smtp_tls_secure_cert_match, smtp_tls_fingerprint_cert_match, smtp_tls_servername
TEST_F(PolicyTest, MainCfHasTheRest) {
  settings = read(
      "smtp_tls_ciphers = null\nsmtp_tls_mandatory_ciphers = high\nsmtp_tls_exclude_ciphers = A\n"
      "smtp_tls_mandatory_exclude_ciphers = B\nsmtp_tls_protocols = TLSv1.2\n"
      "smtp_tls_mandatory_protocols = TLSv1.3\nsmtp_tls_servername = hostname\n"
      "smtp_tls_fingerprint_cert_match = 00:11, 22:33\n");
  auto complete = [&](std::string_view text) {
    auto policy = parse(text);
    EXPECT_TRUE(policy && complete_tls_policy(*policy, settings, "dest.test")) << text;
    return *policy;
  };
  TlsPolicy may = complete("may"), secure = complete("secure");
  EXPECT_EQ(may.protocols, "TLSv1.2");
  EXPECT_EQ(may.cipher_grade, "null");
  EXPECT_EQ(may.cipher_exclusions, "A");
  EXPECT_EQ(may.server_name, "hostname");
  EXPECT_EQ(secure.protocols, "TLSv1.3");
  EXPECT_EQ(secure.cipher_grade, "high");
  EXPECT_EQ(secure.cipher_exclusions, "A B");
  EXPECT_THAT(secure.match, ElementsAre("nexthop", "dot-nexthop"));
  EXPECT_THAT(complete("verify").match, ElementsAre("hostname"));
  EXPECT_EQ(complete("fingerprint").records.size(), 4U);
  EXPECT_EQ(complete("fingerprint match=44:55").records.size(), 2U);
  EXPECT_EQ(complete("encrypt exclude=C").cipher_exclusions, "C");
  EXPECT_THAT(log.lines, IsEmpty());
}

TEST_F(PolicyTest, WhatCannotBeCompleted) {
  auto policy = *parse("fingerprint");
  EXPECT_FALSE(complete_tls_policy(policy, settings, "dest.test"));
  EXPECT_THAT(log.lines, ElementsAre("warning: nexthop domain dest.test: configured at fingerprint security "
                                     "level, but with no fingerprints to match."));
  log.lines.clear();
  settings = read("smtp_tls_servername = a..b\n");
  policy = *parse("may");
  EXPECT_FALSE(complete_tls_policy(policy, settings, "dest.test"));
  EXPECT_THAT(log.lines.front(), HasSubstr("specifies an invalid hostname"));
  settings = read("smtp_tls_trust_anchor_file = /nonexistent/ta\n");
  policy = *parse("verify");
  EXPECT_FALSE(complete_tls_policy(policy, settings, "dest.test"));
  policy = *parse("encrypt");
  EXPECT_TRUE(complete_tls_policy(policy, settings, "dest.test"));
}

TEST_F(PolicyTest, NamesAreThoseOfTheHost) {
  smtp::PeerNames names{"mx.dest.test",
                        "b\xc3\xbc"
                        "cher.test"};
  auto policy = *parse("secure match=hostname:nexthop:dot-nexthop:.example.test servername=nexthop");
  tls::Demands demands = demands_of(policy, names);
  EXPECT_THAT(demands.names,
              ElementsAre("mx.dest.test", "xn--bcher-kva.test", ".xn--bcher-kva.test", ".example.test"));
  EXPECT_EQ(demands.server_name, "xn--bcher-kva.test");
  EXPECT_EQ(demands.level, Level::secure);
  policy.level = Level::dane;
  policy.base_domain = "base.test";
  policy.match = {"base.test", "hostname"};
  demands = demands_of(policy, names);
  EXPECT_EQ(demands.server_name, "base.test");
  EXPECT_THAT(demands.names, ElementsAre("base.test", "hostname"));
}

/// Sessions of one policy are not for mail with another.
TEST_F(PolicyTest, WhatMakesPoliciesTheSame) {
  EXPECT_EQ(parse("encrypt protocols=TLSv1.3")->identity(), parse("encrypt protocols=TLSv1.3")->identity());
  std::vector<std::string> texts = {"none",
                                    "may",
                                    "encrypt",
                                    "encrypt protocols=TLSv1.3",
                                    "encrypt ciphers=high",
                                    "encrypt exclude=x",
                                    "encrypt servername=x.test",
                                    "encrypt connection_reuse=yes",
                                    "verify",
                                    "secure",
                                    "secure match=x",
                                    "fingerprint match=00",
                                    "fingerprint match=01",
                                    "dane",
                                    "dane-only"};
  std::set<std::string> seen;
  for (const std::string& text : texts)
    EXPECT_TRUE(seen.insert(parse(text)->identity()).second) << text;
}

// Covers: smtp_use_tls, smtp_enforce_tls, smtp_tls_enforce_peername, lmtp_use_tls, lmtp_enforce_tls,
// lmtp_tls_enforce_peername
TEST_F(PolicyTest, LevelsOfOlderConfigurations) {
  EXPECT_EQ(read("smtp_tls_security_level =\n").level, Level::none);
  EXPECT_EQ(read("smtp_tls_security_level =\nsmtp_use_tls = yes\n").level, Level::may);
  EXPECT_EQ(read("smtp_tls_security_level =\nsmtp_enforce_tls = yes\n").level, Level::verify);
  EXPECT_EQ(read("smtp_tls_security_level =\nsmtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n").level,
            Level::encrypt);
  EXPECT_EQ(read("smtp_tls_security_level = none\nsmtp_enforce_tls = yes\n").level, Level::none);
  EXPECT_EQ(read("lmtp_use_tls = yes\n", true).level, Level::may);
  EXPECT_EQ(read("lmtp_enforce_tls = yes\n", true).level, Level::verify);
  EXPECT_EQ(read("lmtp_enforce_tls = yes\nlmtp_tls_enforce_peername = no\n", true).level, Level::encrypt);
  EXPECT_EQ(read("").level, Level::may);  // Since compatibility level 3.11.
  EXPECT_FALSE(read("smtp_tls_security_level =\n").wanted());
  EXPECT_TRUE(read("smtp_tls_security_level =\nsmtp_tls_per_site = inline:{a=MAY}\n").wanted());
}

// Covers: lmtp_tls_ciphers, lmtp_tls_mandatory_ciphers, lmtp_tls_exclude_ciphers,
// lmtp_tls_mandatory_exclude_ciphers, lmtp_tls_protocols, lmtp_tls_mandatory_protocols,
// lmtp_tls_secure_cert_match, lmtp_tls_verify_cert_match, lmtp_tls_fingerprint_cert_match,
// lmtp_tls_servername, lmtp_tls_trust_anchor_file, lmtp_tls_wrappermode, lmtp_tls_connection_reuse,
// lmtp_tls_note_starttls_offer, lmtp_tls_block_early_mail_reply, lmtp_tls_force_insecure_host_tlsa_lookup,
// lmtp_starttls_timeout, lmtp_log_tls_feature_status, lmtp_tls_security_level
TEST_F(PolicyTest, TheOtherProtocolHasItsOwnParameters) {
  const char* lines =
      "lmtp_tls_ciphers = high\nlmtp_tls_mandatory_ciphers = null\nlmtp_tls_exclude_ciphers = A\n"
      "lmtp_tls_mandatory_exclude_ciphers = B\nlmtp_tls_protocols = TLSv1.1\n"
      "lmtp_tls_mandatory_protocols = TLSv1.2\nlmtp_tls_secure_cert_match = a\nlmtp_tls_verify_cert_match = "
      "b\n"
      "lmtp_tls_fingerprint_cert_match = 00\nlmtp_tls_servername = c.test\nlmtp_tls_trust_anchor_file = /ta\n"
      "lmtp_tls_wrappermode = yes\nlmtp_tls_connection_reuse = yes\nlmtp_tls_note_starttls_offer = yes\n"
      "lmtp_tls_block_early_mail_reply = yes\nlmtp_tls_force_insecure_host_tlsa_lookup = yes\n"
      "lmtp_starttls_timeout = 7s\nlmtp_log_tls_feature_status = no\nlmtp_tls_security_level = secure\n";
  TlsSettings smtp = read(lines), lmtp = read(lines, true);
  EXPECT_EQ(lmtp.level, Level::secure);
  EXPECT_EQ(lmtp.ciphers + lmtp.mandatory_ciphers, "highnull");
  EXPECT_EQ(lmtp.excluded_ciphers + lmtp.mandatory_excluded_ciphers, "AB");
  EXPECT_EQ(lmtp.protocols + lmtp.mandatory_protocols, "TLSv1.1TLSv1.2");
  EXPECT_EQ(lmtp.secure_match + lmtp.verify_match + lmtp.fingerprints, "ab00");
  EXPECT_EQ(lmtp.server_name + lmtp.trust_anchor_files, "c.test/ta");
  EXPECT_TRUE(lmtp.wrapper && lmtp.connection_reuse && lmtp.note_offers && lmtp.block_early_mail_reply &&
              lmtp.force_tlsa_lookup && !lmtp.log_status);
  EXPECT_EQ(lmtp.timeout, seconds(7));
  EXPECT_FALSE(smtp.wrapper || smtp.connection_reuse || smtp.note_offers || smtp.block_early_mail_reply ||
               smtp.force_tlsa_lookup || !smtp.log_status);
  EXPECT_EQ(smtp.timeout, seconds(300));
  EXPECT_EQ(smtp.verify_match, "hostname");
}

TEST(TlsStatus, WhatTheLogSays) {
  EXPECT_EQ(tls_status(Level::none, Level::none, TlsMark::open), "");
  EXPECT_EQ(tls_status(Level::may, Level::may, TlsMark::open), "may?");
  EXPECT_EQ(tls_status(Level::may, Level::may, TlsMark::plain), "may:none");
  EXPECT_EQ(tls_status(Level::may, Level::may, TlsMark::satisfied), "may");
  EXPECT_EQ(tls_status(Level::verify, Level::verify, TlsMark::violated), "!verify");
  EXPECT_EQ(tls_status(Level::dane, Level::may, TlsMark::satisfied), "dane:encrypt");
  EXPECT_EQ(tls_status(Level::dane, Level::may, TlsMark::plain), "dane:none");
  EXPECT_EQ(tls_status(Level::dane, Level::half_dane, TlsMark::satisfied), "dane:halfdane");
  EXPECT_EQ(tls_status(Level::dane_only, Level::dane, TlsMark::satisfied), "dane-only");
}

}  // namespace
}  // namespace postrider::smtp_client
