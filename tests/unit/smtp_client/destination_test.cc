#include "smtp/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace postrider::smtp_client {
namespace {

using smtp::Destination;
using smtp::parse_lmtp_destination;
using smtp::parse_smtp_destination;
using smtp::split_destinations;
using testing::ElementsAre;

/// "kind name port", or the error.
std::string show(const Result<Destination>& destination) {
  if (!destination) return destination.error().text;
  constexpr const char* kKinds[] = {"domain", "host", "path"};
  return std::string(kKinds[static_cast<size_t>(destination->kind)]) + " " + destination->name + " " +
         std::to_string(destination->port);
}

struct Parsers {
  config::TcpPorts ports{test::configuration("known_tcp_ports = lmtp=24, smtp=25, submission = msa = 587\n")};
  std::string smtp(std::string_view text) { return show(parse_smtp_destination(text, "smtp", ports)); }
  std::string lmtp(std::string_view text) { return show(parse_lmtp_destination(text, "24", ports)); }
};

TEST(Destination, SmtpKnowsDomainsAndHosts) {
  Parsers parse;
  EXPECT_EQ(parse.smtp("dest.test"), "domain dest.test 25");
  EXPECT_EQ(parse.smtp("dest.test:2525"), "domain dest.test 2525");
  EXPECT_EQ(parse.smtp("[mx.dest.test]"), "host mx.dest.test 25");
  EXPECT_EQ(parse.smtp("[mx.dest.test]:submission"), "host mx.dest.test 587");
  EXPECT_EQ(parse.smtp("[ipv6:2001:db8::1]:msa"), "host 2001:db8::1 587");
  EXPECT_EQ(parse.smtp("[192.0.2.1]"), "host 192.0.2.1 25");
}

TEST(Destination, LmtpKnowsSocketsAndNoMailExchangers) {
  Parsers parse;
  EXPECT_EQ(parse.lmtp("unix:private/store"), "path private/store 0");
  EXPECT_EQ(parse.lmtp("inet:store.test"), "host store.test 24");
  EXPECT_EQ(parse.lmtp("store.test:lmtp"), "host store.test 24");
  EXPECT_EQ(parse.lmtp("inet:[192.0.2.1]:2400"), "host 192.0.2.1 2400");
}

TEST(Destination, SaysWhatIsWrong) {
  Parsers parse;
  EXPECT_EQ(parse.smtp("[dest.test"), "missing \"]\" in server description: [dest.test");
  EXPECT_EQ(parse.smtp("dest.test:0"), "bad network port: 0 for destination: dest.test:0");
  EXPECT_EQ(parse.smtp("dest.test:70000"), "bad network port: 70000 for destination: dest.test:70000");
  EXPECT_EQ(parse.smtp("dest.test:no-such-port"),
            "unknown service: no-such-port/tcp for destination: dest.test:no-such-port");
}

TEST(Destination, NextHopsAreLists) {
  EXPECT_THAT(split_destinations("[a.test]:25, b.test  c.test"),
              ElementsAre("[a.test]:25", "b.test", "c.test"));
}

TEST(TcpPorts, RefusesAListThatDoesNotFollowTheGrammar) {
  for (const char* list : {"smtp", "=25", "smtp=", "smtp=99999", "1=2", "smtp=25,smtp=26"}) {
    config::Config config = test::configuration(std::string("known_tcp_ports = ") + list + "\n");
    EXPECT_THROW(config::TcpPorts ports(config), config::ConfigError) << list;
  }
}

}  // namespace
}  // namespace postrider::smtp_client
