#include "postscreen/settings.h"

#include "fixture.h"

namespace postrider::postscreen {
namespace {

class SettingsTest : public PostscreenTest {};

TEST_F(SettingsTest, ClientsAreWaitedForLessUnderStress) {
  EXPECT_EQ(settings_->patience.greet_wait, seconds(6));
  EXPECT_EQ(settings_->stress_patience.greet_wait, seconds(2));
  EXPECT_EQ(settings_->patience.command, seconds(300));
  EXPECT_EQ(settings_->stress_patience.command, seconds(10));
  configure("postscreen_greet_wait = ${stress?{3}:{4}}s\npostscreen_command_time_limit = 20s\n");
  EXPECT_EQ(settings_->patience.greet_wait, seconds(4));
  EXPECT_EQ(settings_->stress_patience.greet_wait, seconds(3));
  EXPECT_EQ(settings_->stress_patience.command, seconds(20));
}

TEST_F(SettingsTest, OldNamesCount) {
  configure(
      "postscreen_dnsbl_ttl = 3\npostscreen_blacklist_action = drop\npostscreen_whitelist_interfaces = "
      "127.0.0.1\n"
      "postscreen_dnsbl_whitelist_threshold = -4\n");
  EXPECT_EQ(settings_->lifetime(Test::dnsbl), seconds(3 * 3600));
  EXPECT_EQ(settings_->denylist_action, Action::drop);
  EXPECT_EQ(settings_->dnsbl_allow_threshold, -4);
  EXPECT_TRUE(lists_->allowlist_interfaces.match("127.0.0.1", Deadline::never())->matched);
  EXPECT_FALSE(lists_->allowlist_interfaces.match("127.0.0.2", Deadline::never())->matched);
}

TEST_F(SettingsTest, WithoutATeaserThereIsNoPregreetTest) {
  EXPECT_TRUE(settings_->is_enabled(Test::pregreet));
  configure("postscreen_greet_banner =\n");
  EXPECT_FALSE(settings_->is_enabled(Test::pregreet));
}

}  // namespace
}  // namespace postrider::postscreen
