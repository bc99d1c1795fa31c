#include "smtp/settings.h"

#include <gtest/gtest.h>

#include "support.h"

// Covers: smtp_skip_quit_response, lmtp_skip_quit_response
namespace postrider::smtp_client {
namespace {

Settings read(const std::string& main_cf, Protocol protocol = Protocol::smtp,
              const std::vector<std::string>& attributes = {}) {
  return Settings(test::configuration(main_cf), protocol, attributes);
}

TEST(Settings, BothProtocolsHaveTheirOwnParameters) {
  const char* lines =
      "smtp_mx_session_limit = 7\nlmtp_mx_session_limit = 8\nsmtp_helo_name = a\nlmtp_lhlo_name = b\n";
  Settings smtp = read(lines), lmtp = read(lines, Protocol::lmtp);
  EXPECT_EQ(smtp.mx_session_limit, 7u);
  EXPECT_EQ(lmtp.mx_session_limit, 8u);
  EXPECT_EQ(smtp.session.helo_name, "a");
  EXPECT_EQ(lmtp.session.helo_name, "b");
  EXPECT_TRUE(smtp.look_up_mx);
  EXPECT_FALSE(lmtp.look_up_mx);
  EXPECT_TRUE(smtp.skip_quit_response);
  EXPECT_FALSE(lmtp.skip_quit_response);
}

TEST(Settings, WithoutDnsOnlyTheNameServiceIsAsked) {
  Settings off = read("smtp_dns_support_level = disabled\n");
  EXPECT_FALSE(off.look_up_mx);
  EXPECT_FALSE(off.routing.host_lookup_dns);
  EXPECT_TRUE(off.routing.host_lookup_native);
  Settings old = read("disable_dns_lookups = yes\n");
  EXPECT_FALSE(old.look_up_mx);
  EXPECT_TRUE(read("smtp_dns_support_level = dnssec\n").routing.dnssec);
}

TEST(Settings, ASystemWithOneAddressIsSeenByIt) {
  EXPECT_FALSE(read("").source4.address);  // The loopback address leads nowhere.
  Settings given = read("smtp_bind_address = 192.0.2.1\nsmtp_bind_address_enforce = yes\n");
  EXPECT_EQ(given.source4.address->ip(), "192.0.2.1");
  EXPECT_TRUE(given.source4.required);
  EXPECT_THROW(read("smtp_bind_address = nonsense\n"), config::ConfigError);
  EXPECT_THROW(read("smtp_bind_address = 2001:db8::1\n"), config::ConfigError);
}

TEST(Settings, LoggingInNeedsPasswords) {
  EXPECT_FALSE(read("smtp_sasl_password_maps = inline:{a=b:c}\n").sasl.enabled);
  EXPECT_THROW(read("smtp_sasl_auth_enable = yes\n"), config::ConfigError);
  const char* enabled = "lmtp_sasl_auth_enable = yes\nlmtp_sasl_password_maps = inline:{a=b:c}\n";
  Settings lmtp = read(std::string(enabled) +
                           "lmtp_sasl_auth_soft_bounce = no\nlmtp_sender_dependent_authentication = yes\n"
                           "lmtp_send_dummy_mail_auth = yes\n"
                           "lmtp_sasl_password_result_delimiter = /\n"
                           "lmtp_sasl_security_options = mutual_auth\n"
                           "lmtp_sasl_type = other\n",
                       Protocol::lmtp);
  EXPECT_TRUE(lmtp.sasl.enabled);
  EXPECT_FALSE(lmtp.sasl.soft_bounce);
  EXPECT_TRUE(lmtp.sasl.by_sender);
  EXPECT_TRUE(lmtp.sasl.dummy_auth);
  EXPECT_EQ(lmtp.sasl.delimiter, '/');
  EXPECT_TRUE(lmtp.sasl.options.mutual_auth);
  EXPECT_FALSE(lmtp.sasl.options.noplaintext);
  EXPECT_EQ(lmtp.sasl.plug_in.type, "other");
  EXPECT_EQ(lmtp.sasl.plug_in.service, "lmtp");
  Settings usual = read(enabled, Protocol::lmtp);
  EXPECT_TRUE(usual.sasl.soft_bounce);
  EXPECT_TRUE(usual.sasl.options.noplaintext && usual.sasl.options.noanonymous);
  EXPECT_THROW(read(std::string(enabled) + "lmtp_sasl_security_options = nonsense\n", Protocol::lmtp),
               config::ConfigError);
}

TEST(Settings, AttributesOfTheServiceAreFlags) {
  Settings settings = read("", Protocol::lmtp, {"flags=DX"});
  EXPECT_TRUE(settings.flags.delivered_to);
  EXPECT_TRUE(settings.flags.final);
  EXPECT_FALSE(settings.flags.original_to);
  EXPECT_FALSE(settings.flags.return_path);
  EXPECT_THROW(read("", Protocol::lmtp, {"flags=Q"}), std::runtime_error);
  EXPECT_THROW(read("", Protocol::lmtp, {"user=root"}), std::runtime_error);
}

TEST(Settings, KeptSessionsObeyBothLimits) {
  Settings settings = read("smtp_connection_cache_time_limit = 60s\nconnection_cache_ttl_limit = 5s\n");
  EXPECT_EQ(settings.cache.idle, seconds(5));
}

TEST(Settings, RefusesUnknownWords) {
  EXPECT_THROW(read("smtp_host_lookup = dns, nis\n"), config::ConfigError);
  EXPECT_THROW(read("smtp_dns_resolver_options = res_magic\n"), config::ConfigError);
}

}  // namespace
}  // namespace postrider::smtp_client
