#include "local/environment.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "config/config.h"
#include "sys/file.h"

namespace postrider::local {
namespace {

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() : directory_(sys::make_private_directory().value()) {
    std::ofstream(directory_ + "/main.cf")
        << "compatibility_level = 3.11\nrecipient_delimiter = +-\nalias_maps =\n"
           "export_environment = SOME=thing\n";
    scope_.recipient.address = "Alice+Box@Site.test";
    scope_.recipient.original = "all@site.test";
    scope_.local = "alice+box";
    scope_.user = "alice";
    scope_.domain = "site.test";
    scope_.extension = "box";
    scope_.sender = "joe@sender.test";
    scope_.rights = {1000, 1000, "alice", "/home/alice", "/bin/sh"};
    request_.client_address = "192.0.2.1";
  }
  ~EnvironmentTest() override { std::filesystem::remove_all(directory_); }

  Settings settings() const {
    config::LoadOptions options;
    options.directory = directory_;
    return {config::Config::load(options).value(), "local", true};
  }
  Expanded expand(const std::string& pattern, std::optional<std::string_view> allowed = std::nullopt) const {
    return expand_for(pattern, scope_, request_, settings(), allowed).value();
  }

  std::string directory_;
  Scope scope_;
  proto::DeliverRequest request_;
};

TEST_F(EnvironmentTest, ExpandsWhatIsKnownOfTheRecipient) {
  EXPECT_EQ(expand("$user $local $domain $extension $home $shell $recipient").text,
            "alice alice+box site.test box /home/alice /bin/sh Alice+Box@Site.test");
  EXPECT_EQ(expand("${extension?{x$extension}:{none}}").text, "xbox");
  EXPECT_EQ(expand("$client_address").text, "192.0.2.1");
}

TEST_F(EnvironmentTest, TheDelimiterIsTheConfiguredValue) {
  EXPECT_EQ(expand("$recipient_delimiter").text, "+-");
}

TEST_F(EnvironmentTest, SaysWhenTheExtensionWentIntoTheText) {
  EXPECT_TRUE(expand("$home/.forward$extension").used_extension);
  EXPECT_FALSE(expand("$home/.forward").used_extension);
}

TEST_F(EnvironmentTest, SaysWhenANameHasNoValue) {
  scope_.extension.reset();
  EXPECT_TRUE(expand("$home/.forward+$extension").undefined);
  EXPECT_FALSE(expand("$home/.forward${extension?{+$extension}}").undefined);
  EXPECT_TRUE(expand("$nosuch").undefined);
}

TEST_F(EnvironmentTest, ReplacesCharactersThatAreNotAllowed) {
  scope_.extension = "a;b c";
  EXPECT_EQ(expand("/$extension;", "abcdefghijklmnopqrstuvwxyz/").text, "/a_b_c;");
}

TEST_F(EnvironmentTest, TellsACommandAboutTheDelivery) {
  auto environment = environment_for(scope_, request_, settings());
  auto has = [&](const char* entry) { return std::ranges::find(environment, entry) != environment.end(); };
  EXPECT_TRUE(has("SOME=thing"));
  EXPECT_TRUE(has("PATH=/usr/bin:/bin"));
  EXPECT_TRUE(has("USER=alice"));
  EXPECT_TRUE(has("LOGNAME=alice"));
  EXPECT_TRUE(has("HOME=/home/alice"));
  EXPECT_TRUE(has("LOCAL=alice+box"));
  EXPECT_TRUE(has("EXTENSION=box"));
  EXPECT_TRUE(has("RECIPIENT=Alice+Box@Site.test"));
  EXPECT_TRUE(has("ORIGINAL_RECIPIENT=all@site.test"));
  EXPECT_FALSE(std::ranges::any_of(environment, [](const auto& e) { return e.starts_with("ENVID="); }));
}

TEST_F(EnvironmentTest, NothingThatAShellActsOnReachesACommand) {
  scope_.sender = "\"`reboot`; $(x)\"@sender.test";
  scope_.dsn_envid = "id<>|";
  auto environment = environment_for(scope_, request_, settings());
  EXPECT_NE(std::ranges::find(environment, "SENDER=__reboot_____x__@sender.test"), environment.end());
  EXPECT_NE(std::ranges::find(environment, "ENVID=id___"), environment.end());
}

}  // namespace
}  // namespace postrider::local
