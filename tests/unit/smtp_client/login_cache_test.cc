#include "smtp/login_cache.h"

#include <gtest/gtest.h>

#include "support.h"

namespace postrider::smtp_client {
namespace {

TEST(LoginCache, EntriesAreWrittenAndRead) {
  RefusedLogin entry{1700000000, "EfatjsUqKYSrqv18O1FlA3hcIHI=", "5.7.8", "535 5.7.8 Bad; really"};
  EXPECT_EQ(entry.value(), "1700000000;EfatjsUqKYSrqv18O1FlA3hcIHI=;5.7.8;535 5.7.8 Bad; really");
  auto read = RefusedLogin::parse(entry.value());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->when, entry.when);
  EXPECT_EQ(read->digest, entry.digest);
  EXPECT_EQ(read->dsn, entry.dsn);
  EXPECT_EQ(read->text, entry.text);
  for (const char* bad : {"", "x", "1;2", "1;2;3", "x;2;3;4"})
    EXPECT_FALSE(RefusedLogin::parse(bad)) << bad;
}

TEST(LoginCache, TheTableIsSharedWithOtherProcesses) {
  auto config = test::configuration(
      "smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = inline:{a=b:c}\n"
      "smtp_sasl_auth_cache_name = btree:/tmp/x\n"
      "smtp_sasl_auth_cache_time = 2d\n");
  Settings settings(config, Protocol::smtp, {});
  EXPECT_EQ(settings.sasl.cache_time, seconds(2 * 86400));
  EXPECT_THROW(LoginCache(config, settings), config::ConfigError);
  auto lmtp_config = test::configuration(
      "lmtp_sasl_auth_enable = yes\nlmtp_sasl_password_maps = inline:{a=b:c}\n"
      "lmtp_sasl_auth_cache_name = btree:/tmp/x\n"
      "lmtp_sasl_auth_cache_time = 3h\n");
  Settings lmtp(lmtp_config, Protocol::lmtp, {});
  EXPECT_THROW(LoginCache(lmtp_config, lmtp), config::ConfigError);
  EXPECT_EQ(lmtp.sasl.cache_time, seconds(3 * 3600));
}

TEST(LoginCache, WithoutATableNothingIsRemembered) {
  auto config = test::configuration("");
  LoginCache cache(config, Settings(config, Protocol::smtp, {}));
  cache.remember("host", {"joe", "secret"}, "5.7.8", "535 5.7.8 Bad", Deadline::never());
  EXPECT_FALSE(cache.find("host", {"joe", "secret"}, Deadline::never()));
}

}  // namespace
}  // namespace postrider::smtp_client
