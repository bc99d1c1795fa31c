#include "mail/hostname.h"

#include <gtest/gtest.h>

#include "mail/host_port.h"

namespace postrider::mail {
namespace {

std::string why(bool (*check)(std::string_view, std::string*), std::string_view text) {
  std::string out;
  return check(text, &out) ? "ok" : out;
}

std::string host(std::string_view name) {
  return why([](std::string_view n, std::string* w) { return valid_hostname(n, w); }, name);
}

TEST(Hostname, GoodNames) {
  std::string longest_label(63, 'a');
  for (std::string name : {"a", "a.b", "a_b", "_x._tcp.y", "1a", "1.a", "a--b", "0x12", "xn--a"}) {
    EXPECT_EQ(host(name), "ok") << name;
  }
  EXPECT_EQ(host(longest_label + ".b"), "ok");
}

TEST(Hostname, BadNamesSayWhy) {
  EXPECT_EQ(host(""), "valid_hostname: empty hostname");
  EXPECT_EQ(host("a..b"), "valid_hostname: misplaced delimiter: a..b");
  EXPECT_EQ(host(".a"), "valid_hostname: misplaced delimiter: .a");
  EXPECT_EQ(host("a."), "valid_hostname: misplaced delimiter: a.");
  EXPECT_EQ(host("-a"), "valid_hostname: misplaced hyphen: -a");
  EXPECT_EQ(host("a.b-"), "valid_hostname: misplaced hyphen: a.b-");
  EXPECT_EQ(host("a-.b"), "valid_hostname: misplaced hyphen: a-.b");
  EXPECT_EQ(host("1.2.3.4"), "valid_hostname: numeric hostname: 1.2.3.4");
  EXPECT_EQ(host("a b"), "valid_hostname: invalid character 32(decimal): a b");
  EXPECT_EQ(host("a\nb"), "valid_hostname: invalid character 10(decimal): a?b");
  EXPECT_EQ(host(std::string(64, 'a')), "valid_hostname: hostname label too long: " + std::string(64, 'a'));
}

TEST(Hostname, TheWholeNameHasALimit) {
  std::string label(50, 'a'), name = label;
  for (int i = 0; i < 4; ++i)
    name += "." + label;
  EXPECT_EQ(name.size(), 254U);
  EXPECT_EQ(host(name), "ok");
  EXPECT_EQ(host("bb" + name), "valid_hostname: bad length 256 for bb" + name.substr(0, 98) + "...");
}

TEST(Hostname, PatternsMayBeginWithAStar) {
  for (const char* name : {"*", "*.a", "*.1"})
    EXPECT_TRUE(valid_hostname(name, nullptr, HostnameForm::pattern)) << name;
  std::string reason;
  EXPECT_FALSE(valid_hostname("a.*", &reason, HostnameForm::pattern));
  EXPECT_EQ(reason, "valid_hostname: '*' can be the first label only: a.*");
  EXPECT_FALSE(valid_hostname("*a.b", nullptr, HostnameForm::pattern));
  EXPECT_FALSE(valid_hostname("*.a"));
}

TEST(Hostname, Utf8NamesAreValidWhenTheirAsciiFormIs) {
  EXPECT_TRUE(
      valid_utf8_hostname("b\xc3\xbc"
                          "cher.de",
                          true));
  EXPECT_FALSE(
      valid_utf8_hostname("b\xc3\xbc"
                          "cher.de",
                          false));
  EXPECT_FALSE(valid_utf8_hostname("\xc3\xbc..a", true));
  EXPECT_FALSE(valid_utf8_hostname("\xc3\xbc-", true));
  EXPECT_FALSE(valid_utf8_hostname("\xff", true));
  EXPECT_TRUE(valid_utf8_hostname("plain.test", true));
}

TEST(HostAddress, Ipv4) {
  auto check = [](std::string_view t) { return why(valid_ipv4_address, t); };
  for (const char* good : {"1.2.3.4", "255.255.255.255", "0.0.0.0", "01.2.3.4"})
    EXPECT_EQ(check(good), "ok") << good;
  EXPECT_EQ(check("1.2.3"), "valid_ipv4_hostaddr: invalid octet count: 1.2.3");
  EXPECT_EQ(check("1.2.3.256"), "valid_ipv4_hostaddr: invalid octet value: 1.2.3.256");
  EXPECT_EQ(check("1..2.3"), "valid_ipv4_hostaddr: misplaced dot: 1..2.3");
  EXPECT_EQ(check("0.1.2.3"), "valid_ipv4_hostaddr: bad initial octet value: 0.1.2.3");
  EXPECT_EQ(check("1.2.3.4a"), "valid_ipv4_hostaddr: invalid character 97(decimal): 1.2.3.4a");
}

TEST(HostAddress, Ipv6) {
  auto check = [](std::string_view t) { return why(valid_ipv6_address, t); };
  for (const char* good :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6::8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4"}) {
    EXPECT_EQ(check(good), "ok") << good;
  }
  EXPECT_EQ(check("1::2::3"), "valid_ipv6_hostaddr: too many `::' in IPv6 address: 1::2::3");
  EXPECT_EQ(check("1:2:3:4:5:6:7:8:9"),
            "valid_ipv6_hostaddr: too many `:' in IPv6 address: 1:2:3:4:5:6:7:8:9");
  EXPECT_EQ(check("12345::"), "valid_ipv6_hostaddr: malformed IPv6 address: 12345::");
  EXPECT_EQ(check(":1:2"), "valid_ipv6_hostaddr: bad null first field in IPv6 address: :1:2");
  EXPECT_EQ(check("1:2:"), "valid_ipv6_hostaddr: bad null last field in IPv6 address: 1:2:");
  EXPECT_EQ(check("1:"), "valid_ipv6_hostaddr: too few `:' in IPv6 address: 1:");
  EXPECT_EQ(check("1:2.3.4.5"), "valid_ipv6_hostaddr: malformed IPv4-in-IPv6 address: 1:2.3.4.5");
  EXPECT_EQ(check("::1.2.3"), "valid_ipv4_hostaddr: invalid octet count: 1.2.3");
}

TEST(HostAddress, MailhostLiterals) {
  EXPECT_TRUE(valid_mailhost_literal("[1.2.3.4]"));
  EXPECT_TRUE(valid_mailhost_literal("[ipv6:::1]"));
  std::string reason;
  EXPECT_FALSE(valid_mailhost_literal("1.2.3.4]", &reason));
  EXPECT_EQ(reason, "valid_mailhost_literal: '[' expected at start: 1.2.3.4]");
  EXPECT_FALSE(valid_mailhost_literal("[1.2.3.4", &reason));
  EXPECT_EQ(reason, "valid_mailhost_literal: ']' expected at end: [1.2.3.4");
  EXPECT_FALSE(valid_mailhost_literal("[1.2.3.4]x", &reason));
  EXPECT_EQ(reason, "valid_mailhost_literal: unexpected text after ']': [1.2.3.4]x");
  EXPECT_FALSE(valid_mailhost_literal("[::1]"));
  EXPECT_FALSE(valid_mailhost_literal("[a.b]"));
  EXPECT_EQ(mailhost_address("IPv6:::1"), "::1");
  EXPECT_EQ(to_mailhost_address("::1"), "IPv6:::1");
  EXPECT_EQ(to_mailhost_address("1.2.3.4"), "1.2.3.4");
}

TEST(HostAddress, Ports) {
  EXPECT_EQ(why(valid_port, "65535"), "ok");
  EXPECT_EQ(why(valid_port, "0"), "ok");
  EXPECT_EQ(why(valid_port, "65536"), "valid_hostport: out-of-range port number: 65536");
  EXPECT_EQ(why(valid_port, "025"), "valid_hostport: leading zero in port number: 025");
  EXPECT_EQ(why(valid_port, "smtp"), "valid_hostport: non-numeric port number: smtp");
  EXPECT_EQ(why(valid_port, ""), "valid_hostport: non-numeric port number: ");
}

TEST(HostPort, ReadsAllForms) {
  EXPECT_EQ(parse_host_port("host:25", "smtp").value(), (HostPort{"host", "25"}));
  EXPECT_EQ(parse_host_port("host", "smtp").value(), (HostPort{"host", "smtp"}));
  EXPECT_EQ(parse_host_port("host:", "smtp").value(), (HostPort{"host", "smtp"}));
  EXPECT_EQ(parse_host_port("[::1]:25", "smtp").value(), (HostPort{"::1", "25"}));
  EXPECT_EQ(parse_host_port("[IPv6:::1]", "smtp").value(), (HostPort{"::1", "smtp"}));
  EXPECT_EQ(parse_host_port("::1:25", "smtp").value(), (HostPort{"::1", "25"}));
  EXPECT_EQ(parse_port_with_host("25", "").value(), (HostPort{"", "25"}));
  EXPECT_EQ(parse_port_with_host(":smtp", "h").value(), (HostPort{"h", "smtp"}));
  EXPECT_EQ(parse_port_with_host("1.2.3.4:25", "").value(), (HostPort{"1.2.3.4", "25"}));
}

TEST(HostPort, SaysWhatIsWrong) {
  auto error = [](std::string_view text) { return parse_host_port(text, "smtp").error().text; };
  EXPECT_EQ(error("[host"), "missing \"]\"");
  EXPECT_EQ(error("[host]25"), "garbage after \"]\"");
  EXPECT_EQ(error(":25"), "missing host information");
  EXPECT_EQ(error("host:25x"), "garbage after numerical service");
  EXPECT_EQ(error("a b:25"), "valid hostname or network address required");
  EXPECT_EQ(error("[]"), "valid hostname or network address required");
  EXPECT_EQ(parse_port_with_host("host:", "").error().text, "missing service information");
}

TEST(HostPort, TransportEndsAtTheFirstColon) {
  TransportNexthop parts = split_transport("smtp:[host]:25");
  EXPECT_EQ(parts.transport, "smtp");
  EXPECT_EQ(parts.nexthop, "[host]:25");
  EXPECT_TRUE(parts.has_colon);
  EXPECT_FALSE(split_transport("smtp").has_colon);
  EXPECT_EQ(split_transport(":").transport, "");
}

}  // namespace
}  // namespace postrider::mail
