#include "config/startup.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "temporary_config.h"

// Covers: mynetworks_style, mail_owner, setgid_group, default_privs
namespace postrider::config {
namespace {

class StartupTest : public testing::Test {
 protected:
  template <typename Check>
  std::string error_of(Check check, std::string_view main_cf) {
    try {
      check(files_.load(main_cf));
    } catch (const ConfigError& error) {
      std::string text = error.what();
      std::string path = files_.directory() + "/main.cf";
      if (size_t at = text.find(path); at != std::string::npos) text.replace(at, path.size(), "MAIN");
      return error.warning.empty() ? text : error.warning + "|" + text;
    }
    return "no error";
  }
  std::string host_error(std::string_view main_cf) { return error_of(check_host_names, main_cf); }
  std::string account_error(std::string_view main_cf) { return error_of(find_identities, main_cf); }

  TemporaryConfig files_;
};

TEST_F(StartupTest, NamesOfOneHostAreNoLists) {
  EXPECT_EQ(host_error("myhostname = mx.example.com\nrelayhost = a.example, b.example\n"),
            "relayhost parameter setting must not contain multiple values: a.example, b.example");
  EXPECT_EQ(host_error("myhostname = mx.example.com\nmyorigin = a b\n"),
            "myorigin parameter setting must not contain multiple values: a b");
}

TEST_F(StartupTest, MynetworksStyleIsOneWord) {
  auto style_error = [&](std::string_view value) {
    return error_of([](const Config& config) { (void)config.get(params::mynetworks_style); },
                    fmt::format("mynetworks_style = {}\n", value));
  };
  EXPECT_EQ(style_error("Subnet"), "no error");
  EXPECT_EQ(style_error("host, host"), "no error");
  EXPECT_EQ(style_error(""), "bad mynetworks_style value: ; specify exactly one value");
  EXPECT_EQ(style_error("host subnet"), "bad mynetworks_style value: host subnet; specify exactly one value");
  EXPECT_EQ(style_error("host net"), "unknown mynetworks mask style value \"net\" in \"host net\"");
}

TEST_F(StartupTest, WhatConcernsAllProgramsIsChecked) {
  auto error = [&](std::string_view line) {
    return error_of(check_common_settings, fmt::format("myhostname = mx.example.com\n{}\n", line));
  };
  EXPECT_EQ(error("message_size_limit = x"), "bad numerical configuration: message_size_limit = x");
  EXPECT_EQ(error("ipc_timeout = 0"), "invalid ipc_timeout: 0 (min 1)");
  EXPECT_EQ(error("soft_bounce = perhaps"), "bad boolean configuration: soft_bounce = perhaps");
  EXPECT_EQ(error("maillog_file_prefixes ="), "bad string length 0 < 1: maillog_file_prefixes = ");
  EXPECT_EQ(error("compatibility_level = 1.2.3.4"), "malformed compatibility level syntax: \"1.2.3.4\"");
  EXPECT_EQ(error("inet_protocols = bogus"), "unknown inet_protocols value \"bogus\" in \"bogus\"");
  EXPECT_EQ(error("inet_interfaces = 999.1.1.1\nmynetworks = 127.0.0.1"),
            "config variable inet_interfaces: host not found: 999.1.1.1");
  // What one program alone reads is its own affair; the first mistake of several is told.
  EXPECT_EQ(error("smtpd_timeout = x"), error(""));
  EXPECT_EQ(error("ipc_timeout = 0\ndefault_process_limit = 0"),
            "invalid default_process_limit parameter value 0 < 1");
  EXPECT_EQ(error("default_process_limit = 0\nmydomain = a b"),
            "valid_hostname: invalid character 32(decimal): a b|file MAIN: parameter mydomain: bad parameter "
            "value: a b");
}

TEST_F(StartupTest, HostNamesAreChecked) {
  EXPECT_EQ(host_error("myhostname = mx.example.com\n"), "no error");
  EXPECT_EQ(
      host_error("myhostname = -bad-.com\n"),
      "valid_hostname: misplaced hyphen: -bad-.com|file MAIN: parameter myhostname: bad parameter value: "
      "-bad-.com");
  EXPECT_EQ(host_error("myhostname = mx.example.com\nmydomain = a b\n"),
            "valid_hostname: invalid character 32(decimal): a b|file MAIN: parameter mydomain: bad parameter "
            "value: a b");
}

TEST_F(StartupTest, AccountsMustExist) {
  EXPECT_EQ(account_error("default_privs = no-such-user\n"),
            "file MAIN: parameter default_privs: unknown user name value: no-such-user");
  EXPECT_EQ(account_error("mail_owner = no-such-user\n"),
            "file MAIN: parameter mail_owner: unknown user name value: no-such-user");
}

TEST_F(StartupTest, AccountsMustNotBePrivileged) {
  EXPECT_EQ(account_error("mail_owner = root\n"),
            "file MAIN: parameter mail_owner: user root has privileged user ID");
  EXPECT_EQ(account_error("default_privs = root\n"),
            "file MAIN: parameter default_privs: user root has privileged user ID");
}

TEST_F(StartupTest, AccountsMustDiffer) {
  std::string error = account_error("mail_owner = nobody\nsetgid_group = mail\n");
  EXPECT_EQ(error, "file MAIN: parameters default_privs and mail_owner specify the same user nobody");
}

std::vector<sys::InterfaceAddress> addresses() {
  return {{*sys::Address::from_ip("127.0.0.1"), 8},      {*sys::Address::from_ip("10.1.2.3"), 20},
          {*sys::Address::from_ip("10.1.2.9"), 20},      {*sys::Address::from_ip("172.16.5.6"), 12},
          {*sys::Address::from_ip("192.168.1.130"), 25}, {*sys::Address::from_ip("2001:db8::5"), 61},
          {*sys::Address::from_ip("::1"), 128}};
}

TEST(NetworksOf, StylesChooseTheNetworkOfEachAddress) {
  EXPECT_EQ(
      *networks_of(addresses(), "host"),
      "127.0.0.1/32 10.1.2.3/32 10.1.2.9/32 172.16.5.6/32 192.168.1.130/32 [2001:db8::5]/128 [::1]/128");
  EXPECT_EQ(*networks_of(addresses(), "subnet"),
            "127.0.0.0/8 10.1.0.0/20 172.16.0.0/12 192.168.1.128/25 [2001:db8::]/61 [::1]/128");
  EXPECT_EQ(*networks_of(addresses(), "class"),
            "127.0.0.0/8 10.0.0.0/8 172.16.0.0/16 192.168.1.0/24 [2001:db8::]/61 [::1]/128");
}

TEST_F(StartupTest, InetProtocolsLimitOwnAddresses) {
  auto ipv4 = own_addresses(files_.load("inet_protocols = ipv4\n"));
  ASSERT_TRUE(ipv4);
  for (const auto& entry : *ipv4)
    EXPECT_TRUE(entry.address.is_ipv4());
  EXPECT_TRUE(own_addresses(files_.load("inet_protocols =\n"))->empty());
  EXPECT_EQ(inet_protocols(files_.load("inet_protocols = ipv5\n")).error().text,
            "unknown inet_protocols value \"ipv5\" in \"ipv5\"");
}

TEST_F(StartupTest, InetInterfacesNameOwnAddresses) {
  EXPECT_EQ(own_addresses(files_.load("inet_interfaces = 198.51.100.77\n")).error().text,
            "parameter inet_interfaces: no local interface found for 198.51.100.77");
  auto loopback = own_addresses(files_.load("inet_interfaces = loopback-only\n"));
  ASSERT_TRUE(loopback);
  for (const auto& entry : *loopback)
    EXPECT_TRUE(entry.address.is_loopback());
}

}  // namespace
}  // namespace postrider::config
