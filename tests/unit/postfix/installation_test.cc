#include "tools/postfix/installation.h"

#include <map>

#include <gtest/gtest.h>

#include "../config/temporary_config.h"

namespace postrider::postfix {
namespace {

TEST(Installation, ManagersOfInstancesAreToldWhereThingsAre) {
  config::TemporaryConfig directory;
  auto config = directory.load(
      "html_directory = /h\nreadme_directory = /r\nmailq_path = /m\nnewaliases_path = /n\n"
      "manpage_directory = /man\nsample_directory = $html_directory/s\nshlib_directory = /lib/x\n"
      "meta_directory = /meta\nmail_owner = me\n");
  auto list = installation_settings(config);
  std::map<std::string, std::string> settings(list.begin(), list.end());
  EXPECT_EQ(settings["html_directory"], "/h");
  EXPECT_EQ(settings["readme_directory"], "/r");
  EXPECT_EQ(settings["mailq_path"], "/m");
  EXPECT_EQ(settings["newaliases_path"], "/n");
  EXPECT_EQ(settings["manpage_directory"], "/man");
  EXPECT_EQ(settings["sample_directory"], "/h/s");
  EXPECT_EQ(settings["shlib_directory"], "/lib/x");
  EXPECT_EQ(settings["meta_directory"], "/meta");
  EXPECT_EQ(settings["mail_owner"], "me");
  EXPECT_EQ(settings["config_directory"], directory.directory());
  for (const char* name : {"command_directory", "daemon_directory", "data_directory", "queue_directory",
                           "sendmail_path", "setgid_group"}) {
    EXPECT_FALSE(settings[name].empty()) << name;
  }
  EXPECT_EQ(settings.size(), 16U);
}

}  // namespace
}  // namespace postrider::postfix
