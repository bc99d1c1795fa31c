#include "config/config.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "config/families.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/qmgr.h"
#include "config/params/rewrite.h"
#include "config/params/smtp.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_access.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "config/table.h"
#include "temporary_config.h"

namespace postrider::config {
namespace {

using std::chrono::seconds;

class ConfigTest : public testing::Test {
 protected:
  Result<Config> try_load(std::string_view main_cf, LoadOptions options = {}) {
    return files_.try_load(main_cf, std::move(options));
  }
  Config load(std::string_view main_cf, LoadOptions options = {}) {
    return files_.load(main_cf, std::move(options));
  }
  template <typename T>
  std::string error_of(Param<T> param, std::string_view main_cf) {
    try {
      load(main_cf).get(param);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryConfig files_;
  std::string directory_ = files_.directory();
};

TEST_F(ConfigTest, DefaultsHaveTheirTypes) {
  Config config = load("");
  EXPECT_EQ(config.get(params::smtpd_timeout), seconds(300));
  EXPECT_EQ(config.get(params::soft_bounce), false);
  EXPECT_EQ(config.get(params::hash_queue_depth), 1);
  EXPECT_EQ(config.get(params::message_size_limit), int64_t{10240000});
  EXPECT_EQ(config.get(params::mail_name), "Postrider");
  EXPECT_EQ(config.get(params::smtpd_tls_security_level), "");
  EXPECT_EQ(config.get(params::delay_warning_time), seconds(0));
}

TEST_F(ConfigTest, ValuesOfMainCfAreExpanded) {
  Config config =
      load("myhostname = mx.example.com\nsmtpd_banner = $myhostname at your service\nstress = yes\n");
  EXPECT_EQ(config.get(params::smtpd_banner), "mx.example.com at your service");
  EXPECT_EQ(config.get(params::mydomain), "example.com");
  EXPECT_EQ(config.get(params::smtpd_timeout), seconds(10));
  EXPECT_EQ(config.get(params::smtp_helo_name), "mx.example.com");
}

TEST_F(ConfigTest, ATimeWithoutUnitHasTheUnitOfTheDefault) {
  Config config = load("delay_warning_time = 4\nmaximal_queue_lifetime = 2\nsmtpd_timeout = 7\n");
  EXPECT_EQ(config.get(params::delay_warning_time), seconds(4 * 3600));
  EXPECT_EQ(config.get(params::maximal_queue_lifetime), seconds(2 * 86400));
  EXPECT_EQ(config.get(params::smtpd_timeout), seconds(7));
}

TEST_F(ConfigTest, OverridesWinInTheirOrder) {
  Config config = load("myorigin = main\n", {.overrides = {{"myorigin", "first"}, {"myorigin", "second"}},
                                             .service_name = "submission"});
  EXPECT_EQ(config.get(params::myorigin), "second");
  EXPECT_EQ(config.source("myorigin").text(), "master.cf override of service submission");
}

TEST_F(ConfigTest, SettingsKnowWhereTheyComeFrom) {
  Config config = load("# first\n\nmyorigin = x\n");
  EXPECT_EQ(config.source("myorigin").text(), directory_ + "/main.cf line 3");
  EXPECT_EQ(config.source("relayhost").text(), "built-in default");
  EXPECT_EQ(config.source("myhostname").text(), "computed default");
}

TEST_F(ConfigTest, RawParametersKeepTheirMacros) {
  Config config = load("default_rbl_reply = $rbl_code no\n");
  EXPECT_EQ(config.get(params::default_rbl_reply), "$rbl_code no");
}

TEST_F(ConfigTest, ChoicesAreKnownWords) {
  EXPECT_EQ(load("smtpd_tls_security_level = MAY\n").get(params::smtpd_tls_security_level), "may");
  EXPECT_EQ(error_of(params::smtpd_tls_security_level, "smtpd_tls_security_level = foo\n"),
            "Invalid TLS level \"foo\"");
  EXPECT_EQ(error_of(params::header_from_format, "header_from_format = foo\n"),
            "invalid setting: \"header_from_format = foo\"");
}

TEST_F(ConfigTest, BadValuesAreErrorsInPostfixWords) {
  EXPECT_EQ(error_of(params::soft_bounce, "soft_bounce = maybe\n"),
            "bad boolean configuration: soft_bounce = maybe");
  EXPECT_EQ(error_of(params::soft_bounce, "soft_bounce = $nosuch\n"),
            "bad boolean configuration: soft_bounce = ");
  EXPECT_EQ(error_of(params::hash_queue_depth, "hash_queue_depth = 5k\n"),
            "bad numerical configuration: hash_queue_depth = 5k");
  EXPECT_EQ(error_of(params::hash_queue_depth, "hash_queue_depth = 0\n"),
            "invalid hash_queue_depth parameter value 0 < 1");
  EXPECT_EQ(error_of(params::delay_logging_resolution_limit, "delay_logging_resolution_limit = 7\n"),
            "invalid delay_logging_resolution_limit parameter value 7 > 6");
  EXPECT_EQ(error_of(params::message_size_limit, "message_size_limit = 10M\n"),
            "bad numerical configuration: message_size_limit = 10M");
  EXPECT_EQ(error_of(params::ipc_timeout, "ipc_timeout = 5x\n"),
            "parameter ipc_timeout: bad time value or unit: 5x");
  EXPECT_EQ(error_of(params::ipc_timeout, "ipc_timeout = 0\n"), "invalid ipc_timeout: 0 (min 1)");
  EXPECT_EQ(error_of(params::myorigin, "myorigin =\n"), "bad string length 0 < 1: myorigin = ");
  EXPECT_EQ(error_of(params::default_verp_delimiters, "default_verp_delimiters = abc\n"),
            "bad string length 3 > 2: default_verp_delimiters = abc");
}

TEST_F(ConfigTest, ALimitOfZeroIsNone) {
  EXPECT_EQ(load("message_size_limit = -1\n").get(params::message_size_limit), -1);
}

TEST_F(ConfigTest, ErrorsCarryPlaceAndRemedy) {
  Config config = load("\nsoft_bounce = maybe\n");
  try {
    config.get(params::soft_bounce);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.hint(), "set at: " + directory_ + "/main.cf line 2; give yes or no");
  }
}

TEST_F(ConfigTest, BrokenMacrosWarnAndFail) {
  Config config = load("myorigin = ${foo\n");
  try {
    config.get(params::myorigin);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "dictionary mail_dict: macro processing error");
    EXPECT_EQ(error.warning, "truncated macro reference: \"${foo\"");
  }
  EXPECT_FALSE(config.value("myorigin"));
}

TEST_F(ConfigTest, SelfReferenceEnds) {
  EXPECT_EQ(error_of(params::myorigin, "myorigin = $myorigin\n"),
            "dictionary mail_dict: macro processing error");
}

TEST_F(ConfigTest, AMissingOrBrokenFileIsAnError) {
  auto missing = Config::load({.directory = "/nonexistent"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, "open /nonexistent/main.cf: No such file or directory");
  auto broken = try_load("foo\n");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().text, directory_ + "/main.cf, line 1: missing '=' after attribute name: \"foo\"");
}

TEST_F(ConfigTest, WarningsAreReturned) {
  Config config = load("myorigin = a\nmyorigin = b\n");
  EXPECT_THAT(config.warnings(),
              testing::ElementsAre(directory_ + "/main.cf, line 2: overriding earlier entry: myorigin=a"));
}

TEST_F(ConfigTest, MyoriginCanBeTheNameOfAFile) {
  TemporaryConfig files;
  std::string path = files.directory() + "/mailname";
  ASSERT_TRUE(sys::replace_file(path, " example.com \nmore\n", 0600));
  Config config = files.load("myorigin = $config_directory/mailname\n");
  EXPECT_EQ(config.get(params::myorigin), "example.com");
  EXPECT_EQ(config.text("myorigin"), "$config_directory/mailname");
  auto error = [&](std::string_view main_cf) {
    try {
      return files.load(main_cf).get(params::myorigin);
    } catch (const ConfigError& problem) {
      return std::string(problem.what());
    }
  };
  EXPECT_EQ(error("myorigin = /nowhere/mailname\n"),
            "/nowhere/mailname: cannot open file: No such file or directory");
  ASSERT_TRUE(sys::replace_file(path, "\nexample.com\n", 0600));
  EXPECT_EQ(error("myorigin = $config_directory/mailname\n"), "myorigin file " + path + " is empty");
}

TEST_F(ConfigTest, UserDefinedNamesHaveValues) {
  Config config = load("my_class = permit $own\nown = x\n");
  EXPECT_EQ(config.value("my_class").value(), "permit x");
  EXPECT_EQ(config.value("nosuch").value(), std::nullopt);
  EXPECT_EQ(config.expand("<$own$nosuch>").value(), "<x>");
}

TEST_F(ConfigTest, ProcessNamesAreMacros) {
  Config config = load("syslog_name = postfix/$service_name/$process_name/$process_id\n",
                       {.process_name = "smtpd", .service_name = "smtps", .process_id = 42});
  EXPECT_EQ(config.value("syslog_name").value(), "postfix/smtps/smtpd/42");
}

TEST_F(ConfigTest, OldNamesCountOnlyWhenSet) {
  EXPECT_EQ(load("").value("fallback_relay").value(), std::nullopt);
  Config config = load("fallback_relay = backup.example\n");
  EXPECT_EQ(config.get(params::smtp_fallback_relay), "backup.example");
}

TEST_F(ConfigTest, AHostNameWithoutDotGetsADomain) {
  Config config = load("mydomain = example.net\n");
  std::string host = config.get(params::myhostname);
  EXPECT_NE(host.find('.'), std::string::npos);
  EXPECT_EQ(load("myhostname = short\n").get(params::mydomain), "localdomain");
}

TEST_F(ConfigTest, TransportParametersFallBack) {
  Config config = load(
      "default_destination_concurrency_limit = 7\nslow_destination_concurrency_limit = 3\n"
      "slow_destination_rate_delay = 2m\nbad_initial_destination_concurrency = 0\n");
  EXPECT_EQ(config.get(families::destination_concurrency_limit, "slow"), 3);
  EXPECT_EQ(config.get(families::destination_concurrency_limit, "smtp"), 7);
  EXPECT_EQ(config.get(families::destination_concurrency_limit, "local"), 2);
  EXPECT_EQ(config.get(families::destination_rate_delay, "slow"), seconds(120));
  EXPECT_THROW(config.get(families::initial_destination_concurrency, "bad"), ConfigError);
}

TEST_F(ConfigTest, CompatibilityLevelChoosesDefaults) {
  EXPECT_EQ(load("compatibility_level = 0\n").get(params::append_dot_mydomain), true);
  EXPECT_EQ(load("compatibility_level = 3.6\n").get(params::append_dot_mydomain), false);
  EXPECT_EQ(load("compatibility_level = 3.6\n").compat_level(), (CompatLevel{3, 6, 0}));
  EXPECT_THROW(load("compatibility_level = x\n").compat_level(), ConfigError);
}

TEST_F(ConfigTest, OldDefaultsInUseAreReported) {
  EXPECT_EQ(load("compatibility_level = 1\n").compat_default_used("relay_domains"),
            "using backwards-compatible default setting relay_domains=$mydestination");
  EXPECT_EQ(load("compatibility_level = 3.10\n").compat_default_used("smtp_tls_security_level"),
            "using backwards-compatible default setting smtp_tls_security_level=(empty)");
  EXPECT_EQ(load("compatibility_level = 3.11\n").compat_default_used("smtp_tls_security_level"),
            std::nullopt);
  EXPECT_EQ(load("compatibility_level = 1\nrelay_domains = x\n").compat_default_used("relay_domains"),
            std::nullopt);
  EXPECT_EQ(load("compatibility_level = 0\n").compat_default_used("myorigin"), std::nullopt);
}

TEST_F(ConfigTest, NetworksThatNeedThemselvesEnd) {
  Config config = load("inet_interfaces = $mynetworks\n");
  EXPECT_NO_THROW(config.value("mynetworks"));
}

TEST_F(ConfigTest, UnknownInterfacesAreErrors) {
  EXPECT_THROW(load("inet_interfaces = 198.51.100.77\n").get(params::mynetworks), ConfigError);
}

TEST_F(ConfigTest, UnlistedDirectoriesAreRefusedToBorrowedRights) {
  auto config = try_load("", {.only_listed_directories = true});
  EXPECT_FALSE(config);
}

TEST_F(ConfigTest, DefaultsOnlyReadsNoFile) {
  auto config = Config::load({.directory = "/nonexistent", .defaults_only = true});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->get(params::config_directory), "/nonexistent");
}

TEST(ParamTable, EveryDefaultIsAValue) {
  Config config = *Config::load({.defaults_only = true});
  for (const ParamInfo* info : all_params()) {
    if (info->default_kind != ParamDefault::text) continue;
    // virtual(8) refuses to start until the administrator has chosen one.
    if (info->name == "virtual_mailbox_base") continue;
    try {
      switch (info->type) {
        case ParamType::boolean:
          config.get(Param<bool>{info});
          break;
        case ParamType::integer:
          config.get(Param<int>{info});
          break;
        case ParamType::seconds:
          config.get(Param<seconds>{info});
          break;
        case ParamType::size:
          config.get(Param<int64_t>{info});
          break;
        case ParamType::string:
          config.get(Param<std::string>{info});
          break;
        case ParamType::raw:
          config.get(Param<Raw>{info});
          break;
        case ParamType::choice:
          config.get(Param<Choice>{info});
          break;
      }
    } catch (const ConfigError& error) {
      ADD_FAILURE() << info->name << ": " << error.what();
    }
  }
}

TEST(ParamTable, NamesAreUniqueAndCanBeFound) {
  const auto& rows = all_params();
  for (size_t i = 1; i < rows.size(); ++i)
    EXPECT_LT(rows[i - 1]->name, rows[i]->name);
  EXPECT_EQ(find_param("2bounce_notice_recipient")->name, "2bounce_notice_recipient");
  EXPECT_EQ(find_param("smtpd_timeout"), params::smtpd_timeout.info);
  EXPECT_EQ(find_param("nosuch"), nullptr);
}

TEST(ParamTable, DefaultsReferToKnownParameters) {
  for (const ParamInfo* info : all_params()) {
    if (info->type == ParamType::raw) continue;
    std::string text(info->fallback);
    for (size_t at = 0; (at = text.find('$', at)) != std::string::npos;) {
      at = text.find_first_not_of("${", at);
      size_t end = at;
      while (end < text.size() && (is_alnum(text[end]) || text[end] == '_'))
        ++end;
      std::string name = text.substr(at, end - at);
      if (name == "domain_to_ascii") continue;
      EXPECT_NE(find_param(name), nullptr) << info->name << " refers to " << name;
      at = end;
    }
  }
}

TEST(ParamTable, EveryParameterIsExplained) {
  for (const ParamInfo* info : all_params()) {
    EXPECT_GT(info->doc.size(), 10u) << info->name;
    EXPECT_TRUE(info->doc.ends_with('.')) << info->name;
  }
}

TEST(ParamTable, DeprecatedNamesExist) {
  constexpr std::string_view kGone[] = {"deleted-test-only", "tls_legacy_public_key_fingerprints"};
  for (const Deprecation& row : deprecated_params()) {
    bool gone = std::ranges::find(kGone, row.name) != std::end(kGone);
    EXPECT_EQ(find_param(row.name) == nullptr, gone) << row.name;
  }
}

}  // namespace
}  // namespace postrider::config
