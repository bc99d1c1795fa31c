#include "checks/checks.h"

#include <stdlib.h>

#include <fstream>

#include <gtest/gtest.h>

#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "log/log.h"

namespace postrider::checks {
namespace {

namespace params = config::params;

class ChecksTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-checks-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_ += std::string(text) + "\n"; });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }

  void open(const std::string& main_cf, size_t body_limit = 0) {
    std::ofstream(directory_ + "/main.cf") << main_cf;
    config::LoadOptions options;
    options.directory = directory_;
    auto config = config::Config::load(options);
    ASSERT_TRUE(config) << config.error().text;
    catalog_.emplace(clients::table_options(*config));
    std::vector<std::string> paths;
    checks_ = Checks(*catalog_, *config,
                     {.header = params::header_checks,
                      .mime_header = params::mime_header_checks,
                      .nested_header = params::nested_header_checks,
                      .body = params::body_checks,
                      .repertoire = Repertoire::messages},
                     body_limit, paths);
  }
  std::string header(mail::HeaderClass where, std::string_view text) {
    auto action = checks_.header(where, mail::find_header(text), text, Deadline::never());
    return action ? std::string(action->log_word()) + " " + action->text : action.error().text;
  }
  std::string body(std::string_view text, size_t offset = 0) {
    auto action = checks_.body(text, offset, Deadline::never());
    return action ? std::string(action->log_word()) + " " + action->text : action.error().text;
  }

  std::string directory_, log_;
  std::optional<table::Catalog> catalog_;
  Checks checks_;
};

TEST_F(ChecksTest, EachKindOfHeaderHasItsTables) {
  open(
      "header_checks = static:{WARN h}\nmime_header_checks = static:{WARN m}\n"
      "nested_header_checks = static:{WARN n}\nbody_checks = static:{WARN b}\n");
  using enum mail::HeaderClass;
  EXPECT_EQ(header(primary, "Subject: x"), "warning h");
  EXPECT_EQ(header(primary, "content-type: x"), "warning m");
  EXPECT_EQ(header(part, "Subject: x"), "warning m");
  EXPECT_EQ(header(nested, "X-Any: x"), "warning n");
  EXPECT_EQ(header(nested, "Content-Disposition: x"), "warning m");
  EXPECT_EQ(body("x"), "warning b");
  EXPECT_FALSE(checks_.empty());
}

TEST_F(ChecksTest, HeaderChecksStandInForTheOthers) {
  open("header_checks = pcre:{{/^Subject: evil/ REJECT}}\n");
  EXPECT_EQ(header(mail::HeaderClass::nested, "subject: EVIL"), "reject 5.7.1 message content rejected");
  EXPECT_EQ(header(mail::HeaderClass::nested, "Subject: good"), "dunno ");
  EXPECT_EQ(body("Subject: evil"), "dunno ");
}

TEST_F(ChecksTest, NoTables) {
  open("");
  EXPECT_TRUE(checks_.empty());
  EXPECT_EQ(body("x"), "dunno ");
}

TEST_F(ChecksTest, LinesBehindTheLimitAreNotLookedAt) {
  open("body_checks = static:IGNORE\n", 100);
  EXPECT_EQ(body("x", 99), "ignore ");
  EXPECT_EQ(body("x", 100), "dunno ");
}

TEST_F(ChecksTest, ContentNeedNotBeUtf8) {
  open("body_checks = regexp:{{/^.x/ IGNORE}}\n");
  setenv("LC_ALL", "C", 1);
  EXPECT_EQ(body("\xfcx"), "ignore ");
  EXPECT_EQ(log_, "");
}

TEST_F(ChecksTest, FixedKeysAreNotFolded) {
  open("body_checks = inline:{{Line = IGNORE}}\n");
  EXPECT_EQ(body("Line"), "ignore ");
  EXPECT_EQ(body("line"), "dunno ");
}

TEST_F(ChecksTest, ATableThatDoesNotAnswer) {
  open("header_checks = fail:x\n");
  EXPECT_EQ(header(mail::HeaderClass::primary, "Subject: x"), "header_checks map lookup problem");
}

}  // namespace
}  // namespace postrider::checks
